<?php

declare(strict_types=1);

const COOKIE = 'toolcrib';
const SESSION_LIFE = 12 * 60 * 60; // seconds
const MOST_GUESSES = 10; // of a person's password, in a minute

// What the program knows, and who is signed in with the cookie of this request. Every change is in the file before it is
// answered; a crib is small.
final class Crib
{
    public array $kept = ['people' => [], 'sessions' => [], 'tools' => []];
    public ?array $person = null;
    public ?string $sid = null;
    public ?array $session = null;

    public function __construct(private readonly string $path)
    {
        if (!is_file($path)) {
            return; // it is new
        }
        $this->kept = json_decode(file_get_contents($path), true, flags: JSON_THROW_ON_ERROR);
        $token = $_COOKIE[COOKIE] ?? '';
        $sid = hash('sha256', is_string($token) ? $token : '');
        $session = $this->kept['sessions'][$sid] ?? null;
        if ($session !== null && $session['begun'] > time() - SESSION_LIFE) {
            [$this->person, $this->sid, $this->session] = [$this->person($session['person']), $sid, $session];
        }
    }

    // Changes the data as they are now, or nothing if the function throws.
    public function change(callable $change): mixed
    {
        umask(0o077);
        $lock = fopen($this->path . '.lock', 'c');
        flock($lock, LOCK_EX); // until this function returns
        if (is_file($this->path)) {
            $this->kept = json_decode(file_get_contents($this->path), true, flags: JSON_THROW_ON_ERROR);
        }
        $next = $this->kept;
        $result = $change($next);
        $part = fopen($this->path . '.part', 'w');
        fwrite($part, json_encode($next, JSON_PRETTY_PRINT | JSON_THROW_ON_ERROR));
        fsync($part);
        rename($this->path . '.part', $this->path);
        $this->kept = $next;
        return $result;
    }

    // Fills a new crib, with tools and people, and returns their passwords by name.
    public function fill(): array
    {
        @mkdir(dirname($this->path), 0o700, true);
        $passwords = [];
        $this->change(function (array &$kept) use (&$passwords) {
            foreach (['Torque wrench', 'Thermal camera', 'Bench vice'] as $i => $name) {
                $kept['tools'][] = ['id' => (string) ($i + 1), 'name' => $name, 'holder' => ''];
            }
            foreach (['kim', 'ann', 'bob'] as $name) {
                $passwords[$name] = bin2hex(random_bytes(8));
                $hash = password_hash($passwords[$name], PASSWORD_DEFAULT);
                $kept['people'][] = ['id' => bin2hex(random_bytes(8)), 'name' => $name, 'password' => $hash, 'guesses' => []];
            }
        });
        return $passwords;
    }

    public function person(string $id): ?array
    {
        return array_values(array_filter($this->kept['people'], fn ($p) => $p['id'] === $id))[0] ?? null;
    }

    // Returns the person with this name and password, and 200, 403, or 429 after too many guesses.
    public function byPassword(string $name, string $password): array
    {
        $named = array_filter($this->kept['people'], fn ($p) => strcasecmp($p['name'], trim($name)) === 0);
        $at = array_key_first($named);
        if ($at === null) {
            password_hash($password, PASSWORD_DEFAULT); // so that the answer takes the same time
            return [null, 403];
        }
        // A guess counts before it is compared, which takes a moment.
        $guesses = $this->change(fn (array &$kept) => $kept['people'][$at]['guesses'] = array_slice(
            [...array_filter($kept['people'][$at]['guesses'], fn ($then) => $then > time() - 60), time()], 0, MOST_GUESSES + 1));
        if (count($guesses) > MOST_GUESSES) {
            return [null, 429];
        }
        if (!password_verify($password, $named[$at]['password'])) {
            return [null, 403];
        }
        $this->change(fn (array &$kept) => $kept['people'][$at]['guesses'] = []);
        return [$this->kept['people'][$at], 200];
    }

    // Notes that the signed-in person has proved just now who they are, and returns 200, 403 or 429.
    public function prove(string $password): int
    {
        [, $status] = $this->byPassword($this->person['name'], $password);
        if ($status === 200) {
            $this->session['proved'] = time();
            $this->change(fn (array &$kept) => $kept['sessions'][$this->sid] = $this->session);
        }
        return $status;
    }

    // Returns the cookie of a new session in place of the old one. A session's id is the hash of its cookie.
    public function begin(string $person, string $passkey): string
    {
        $token = bin2hex(random_bytes(32));
        $this->change(function (array &$kept) use ($person, $passkey, $token) {
            unset($kept['sessions'][$this->sid]);
            $kept['sessions'] = array_filter($kept['sessions'], fn ($s) => $s['begun'] > time() - SESSION_LIFE);
            $kept['sessions'][hash('sha256', $token)] = ['person' => $person, 'begun' => time(), 'proved' => time(), 'passkey' => $passkey];
        });
        return $token;
    }

    public function signOut(): void
    {
        $this->change(function (array &$kept) {
            unset($kept['sessions'][$this->sid]);
        });
    }

    // Ends the sessions of a person that began with a passkey, but for one.
    public function endSessions(string $person, string $passkey, string $but): void
    {
        $this->change(function (array &$kept) use ($person, $passkey, $but) {
            $stays = fn (array $s, string $sid) => $s['person'] !== $person || $s['passkey'] !== $passkey || $sid === $but;
            $kept['sessions'] = array_filter($kept['sessions'], $stays, ARRAY_FILTER_USE_BOTH);
        });
    }

    // Moves a tool that this holder has: from the crib to the person, or back. Reports whether the holder had it.
    public function move(string $tool, string $holder): bool
    {
        return $this->change(function (array &$kept) use ($tool, $holder) {
            foreach ($kept['tools'] as &$one) {
                if ($one['id'] === $tool && $one['holder'] === $holder) {
                    $one['holder'] = $holder === '' ? $this->person['id'] : '';
                    return true;
                }
            }
            return false;
        });
    }
}
