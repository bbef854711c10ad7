<?php declare(strict_types=1);

// Builds Keypeg in: people get passkeys, and the crib keeps its people, passwords and sessions.

// The secrets that Keypeg and the crib share, one in a line.
function keypeg_secrets(): array
{
    return file(getenv('KEYPEG_SECRET_FILE'), FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES);
}

// Says who is signed in at a page: the attribute of <keypeg-menu>.
function keypeg_introduction(array $person, string $sid, array $session): string
{
    $claims = [
        'sub' => $person['id'], 'name' => $person['name'], 'hasPassword' => true, 'aud' => getenv('CRIB_ORIGIN'),
        'sid' => $sid, 'proved' => $session['proved'], 'passkey' => $session['passkey'],
        'iat' => time(), 'exp' => time() + 300, 'jti' => bin2hex(random_bytes(16)),
    ];
    $base64url = fn (string $bytes) => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $text = $base64url('{"alg":"HS256"}') . '.' . $base64url(json_encode($claims, JSON_THROW_ON_ERROR));
    return $text . '.' . $base64url(hash_hmac('sha256', $text, keypeg_secrets()[0], true));
}

// Asks Keypeg, as the program. Returns null if Keypeg refuses, or can't be reached.
function keypeg_ask(string $method, string $path, array $form = [], string $cookies = ''): ?array
{
    $headers = ['Authorization: Bearer ' . keypeg_secrets()[0], 'Content-Type: application/x-www-form-urlencoded', 'Cookie: ' . $cookies];
    $http = ['method' => $method, 'header' => $headers, 'content' => http_build_query($form), 'timeout' => 10, 'ignore_errors' => true];
    $answer = @file_get_contents(getenv('KEYPEG') . $path, false, stream_context_create(['http' => $http]));
    $is_fine = preg_match('/ 2\d\d /', $http_response_header[0] ?? '') === 1;
    $is_fine || error_log('Keypeg: ' . ($answer ?: error_get_last()['message']));
    return $is_fine ? json_decode($answer ?: '{}', true) : null;
}

// Says that a session has ended. If Keypeg doesn't hear it, it ends there with the introduction.
function keypeg_end(array $person, string $sid): void
{
    keypeg_ask('DELETE', '/keypeg/users/' . rawurlencode($person['id']) . '/sessions/' . rawurlencode($sid));
}

// GET: a page is older than its introduction. POST: they confirm with their password who they are.
function keypeg_introduce(Crib $crib): void
{
    $status = !$crib->person ? 401 : ($_SERVER['REQUEST_METHOD'] === 'GET' ? 200 : $crib->prove($_POST['password'] ?? ''));
    answer($status, $status === 200 ? keypeg_introduction($crib->person, $crib->sid, $crib->session) : '');
}

// They have used a passkey. The cookies say that it was in this browser.
function keypeg_arrive(Crib $crib): void
{
    $proved = keypeg_ask('POST', '/keypeg/redeem', ['proof' => $_POST['proof'] ?? ''], $_SERVER['HTTP_COOKIE'] ?? '');
    $proved ? sign_in($crib, $proved['userId'], $proved['passkeyId']) : show_sign_in('The sign-in with a passkey did not work. Please try again.');
}

// Returns what Keypeg tells, at least once, or null if somebody else does.
function keypeg_heard(string $body): ?array
{
    [$id, $at, $sent] = array_map(fn ($name) => $_SERVER["HTTP_WEBHOOK_$name"] ?? '', ['ID', 'TIMESTAMP', 'SIGNATURE']);
    $right = array_map(fn ($secret) => 'v1,' . base64_encode(hash_hmac('sha256', "$id.$at.$body", $secret, true)), keypeg_secrets());
    $is_right = array_filter(explode(' ', $sent), fn ($one) => array_filter($right, fn ($own) => hash_equals($own, $one))) !== [];
    return $is_right && abs(time() - (int) $at) < 300 ? json_decode($body, true) : null;
}

function keypeg_hear(Crib $crib): void
{
    ['type' => $type, 'data' => $data] = keypeg_heard(file_get_contents('php://input')) ?? ['type' => '', 'data' => []];
    $type === 'sessions.end' && $crib->endSessions($data['userId'], $data['passkeyId'], $data['except'] ?? '');
    answer($type === '' ? 401 : 204);
}
