<?php

// A crib of tools: people borrow tools and bring them back, with passwords and sessions of its own.
//
// It is an example of a program that Keypeg is built into, which keypeg.php does. It needs PHP 8.1 and nothing else. The
// first line makes the crib and prints the passwords of its people:
//
//   export CRIB_ORIGIN=http://localhost:8081 CRIB_DATA=data/crib.json KEYPEG=http://127.0.0.1:8080 KEYPEG_SECRET_FILE=host.secret
//   php index.php && php -S 127.0.0.1:8082 index.php

declare(strict_types=1);

require __DIR__ . '/crib.php';
require __DIR__ . '/keypeg.php';

$crib = new Crib(getenv('CRIB_DATA'));
if (PHP_SAPI === 'cli') {
    if (!$crib->kept['people']) {
        echo "A new crib. Its people and their passwords, which are shown only now:\n";
        foreach ($crib->fill() as $name => $password) {
            echo "  $name  $password\n";
        }
    }
    exit;
}

// A form has texts alone.
$_POST = array_filter($_POST, 'is_string');
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

// A form of another site isn't a person's wish.
if ($_SERVER['REQUEST_METHOD'] === 'POST' && ($_SERVER['HTTP_SEC_FETCH_SITE'] ?? 'same-origin') !== 'same-origin') {
    answer(403, 'This came from another site.');
    return;
}
match ($_SERVER['REQUEST_METHOD'] . ' ' . $path) {
    'GET /' => show_tools($crib),
    'POST /borrow' => move($crib, '', "Somebody was faster: this tool isn't in the crib any more."),
    'POST /return' => move($crib, $crib->person['id'] ?? '', "You don't have this tool."),
    'GET /sign-in' => show_sign_in('', 200),
    'POST /sign-in' => sign_in_by_password($crib),
    'POST /sign-out' => sign_out($crib),
    'GET /base.css', 'GET /crib.css' => answer(200, file_get_contents(dirname(__DIR__) . $path), 'text/css'),
    'GET /keypeg-introduction', 'POST /keypeg-introduction' => keypeg_introduce($crib),
    'POST /keypeg-arrive' => keypeg_arrive($crib),
    'POST /keypeg-hooks' => keypeg_hear($crib),
    default => answer(404, 'There is nothing here.'),
};

function answer(int $status, string $text = '', string $kind = 'text/plain'): void
{
    http_response_code($status);
    header("Content-Type: $kind; charset=utf-8");
    header('Cache-Control: private, no-cache');
    header("Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    header('X-Content-Type-Options: nosniff');
    echo $text;
}

function redirect(string $path): void
{
    header("Location: $path");
    answer(303);
}

function give_cookie(string $token, int $expires): void
{
    $secure = str_starts_with(getenv('CRIB_ORIGIN'), 'https://');
    setcookie(COOKIE, $token, ['expires' => $expires, 'path' => '/', 'httponly' => true, 'samesite' => 'Lax', 'secure' => $secure]);
}

function sign_in(Crib $crib, string $person, string $passkey): void
{
    give_cookie($crib->begin($person, $passkey), time() + SESSION_LIFE);
    redirect('/');
}

function sign_in_by_password(Crib $crib): void
{
    $name = $_POST['name'] ?? '';
    [$person, $status] = $crib->byPassword($name, $_POST['password'] ?? '');
    match ($status) {
        200 => sign_in($crib, $person['id'], ''),
        429 => show_sign_in('Too many attempts. Please wait a minute.', 429, $name),
        default => show_sign_in('The name or the password is not right.', 403, $name),
    };
}

function sign_out(Crib $crib): void
{
    if ($crib->person) {
        $crib->signOut();
        keypeg_end($crib->person, $crib->sid);
    }
    give_cookie('', 1);
    redirect('/sign-in');
}

function move(Crib $crib, string $holder, string $refusal): void
{
    if (!$crib->person) {
        redirect('/sign-in');
    } elseif ($crib->move($_POST['tool'] ?? '', $holder)) {
        redirect('/');
    } else {
        show_tools($crib, $refusal);
    }
}

// Pages

function escaped(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5);
}

function show_tools(Crib $crib, string $refusal = ''): void
{
    if (!$crib->person) {
        redirect('/sign-in');
        return;
    }
    $introduction = keypeg_introduction($crib->person, $crib->sid, $crib->session);
    $name = escaped($crib->person['name']);
    $menu = <<<HTML
        <keypeg-menu introduction="$introduction" fresh="/keypeg-introduction" offer>$name
        <button slot="items" form="sign-out">Sign out</button></keypeg-menu>
        HTML;
    $rows = implode('', array_map(fn ($tool) => row($crib, $tool), $crib->kept['tools']));
    answer($refusal ? 409 : 200, page('Tools', "<h1>Tools</h1>\n" . notice($refusal) . "<ul class=\"crib-rows\">\n$rows</ul>", $menu), 'text/html');
}

function row(Crib $crib, array $tool): string
{
    $holder = $crib->person($tool['holder']);
    $name = escaped($tool['name']);
    [$fact, $label, $path] = match (true) {
        $holder === null => ['In the crib', 'Borrow', 'borrow'],
        $holder['id'] === $crib->person['id'] => ['You have it', 'Bring back', 'return'],
        default => [escaped($holder['name']) . ' has it', '', ''],
    };
    $button = $label === '' ? '' : <<<HTML
        <button class="crib-button" form="$path" name="tool" value="{$tool['id']}" aria-label="$label: $name">$label</button>
        HTML;
    return "<li id=\"tool-{$tool['id']}\"><span class=\"crib-title\">$name</span><span class=\"crib-quiet\">$fact</span>$button</li>\n";
}

function notice(string $sentence): string
{
    return $sentence === '' ? '' : '<p class="crib-notice" role="alert">' . escaped($sentence) . "</p>\n";
}

function show_sign_in(string $sentence, int $status = 403, string $name = ''): void
{
    [$notice, $name] = [notice($sentence), escaped($name)];
    answer($status, page('Sign in', <<<HTML
        <section class="crib-sign-in">
        <h1>Sign in</h1>
        <p class="crib-quiet">Borrow a tool, or bring one back.</p>
        $notice<form class="crib-form" method="post" action="/sign-in">
        <label>Name <input name="name" value="$name" autocomplete="username webauthn" required autofocus></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
        <button class="crib-button">Sign in</button>
        </form>
        <keypeg-sign-in></keypeg-sign-in>
        </section>
        HTML), 'text/html');
}

function page(string $title, string $content, string $menu = ''): string
{
    return <<<HTML
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>$title · Tool crib</title>
        <link rel="stylesheet" href="/base.css">
        <link rel="stylesheet" href="/crib.css">
        <script type="module" src="/keypeg/elements.js"></script>
        </head>
        <body>
        <header class="crib-top"><a class="crib-brand" href="/">Tool crib</a>
        $menu</header>
        <main class="crib-page">
        $content
        </main>
        <form id="borrow" method="post" action="/borrow"></form>
        <form id="return" method="post" action="/return"></form>
        <form id="sign-out" method="post" action="/sign-out"></form>
        </body>
        </html>
        HTML;
}
