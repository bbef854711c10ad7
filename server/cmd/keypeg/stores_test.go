package main

import (
	"os"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/installation"
)

// TestDatabaseText gives the program databases whose text went wrong. It says what to
// write, repeats no password, and makes nothing.
func TestDatabaseText(t *testing.T) {
	if _, err := theProgram(); err != nil { // which is built in this folder
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for text, says := range map[string]string{
		"postgres://d1:2024#Summer@127.0.0.1/d1":             "write it as %23",
		"postgres://d1:20@24Summer@127.0.0.1/d1":             "write it as %40",
		"postgres://d1:2024/Summer@127.0.0.1/d1":             "write them as %2F and %3F",
		"postgres://d1:2024?Summer@127.0.0.1/d1":             "write them as %2F and %3F",
		"postgres://d1:2024%Summer@127.0.0.1/d1":             "write it as %25",
		"postgres://d1:Summer@127.0.0.1:x/d1":                "write it as postgres://user@host:5432/database",
		"postgres://d1:Summer@127.0.0.1/d1/more":             "a / too many",
		"postgres://d1:Summer@127.0.0.1/d1?sslmode=yes":      "sslmode in the database URL has a value that can't be used",
		"Postgres://d1:2024#Summer@127.0.0.1/d1":             "write it as %23",
		"postgres://d1@127.0.0.1:1/d1&password=Summer":       "parameters begin with ?",
		"postgres://d1@127.0.0.1:1/d1;password=Summer":       "parameters begin with ?",
		"postgres://d1@127.0.0.1:1/d1%3FPWD%3DSummer":        "parameters begin with ?",
		"postgres://d1@127.0.0.1:1?dbname=a%26b%3DSummer":    "parameters begin with ?",
		"postgres://d1@h&password=Summer/d1":                 "parameters begin with ?",
		"postgres://d1@h;password=Summer":                    "parameters begin with ?",
		"postgres://d1@/d1?host=h:Summer":                    "a port is a number",
		"postgres://d1@/d1?host=d1:2024@h":                   "a port is a number",
		"postgres://d1@h:2024Summer,127.0.0.1:1/d1":          "write it as postgres://user@host:5432/database",
		"postgres://d1%3ASummer@127.0.0.1:1/d1":              "a password follows a : that isn't written as %3A",
		"postgres://d1;password=Summer@127.0.0.1:1/d1":       "a password follows a :",
		"postgres://127.0.0.1:1/d1?user=d1:Summer":           "a password follows a :",
		"postgres://d1:20@24/Summer@127.0.0.1":               "write it as %40",
		"postgres://d1:20@24?Summer@127.0.0.1/d1":            "in a password, write them as %3F and %26",
		"postgres://d1@127.0.0.1:1/d1?Password=Summer":       "write it as password",
		"postgres://d1@127.0.0.1:1/d1?SSLMODE=require":       "write it as sslmode",
		"postgres://d1@127.0.0.1:1/d1?SSLCertMode=require":   "write it as sslcertmode",
		"postgres://d1@127.0.0.1:1/d1?Require_Auth=none":     "write it as require_auth",
		"postgres://d1@127.0.0.1:1/d1?Channel_Binding=none":  "write it as channel_binding",
		"postgres://d1@h/d1?password=a&password=Summer":      "more than once",
		"postgres://d1@h/d1?sslmode=require;password=Summer": "write ?name=value&name=value",
		"postgres://d1@h/d1?password=Summer%":                "write ?name=value&name=value",
		"host=db user=d1 password=Summer":                    "written in words such as host=",
		"password=Summer host=db":                            "written in words such as host=",
		"dbname = keypeg":                                    "written in words such as host=",
		"postgres:/d1:Summer@127.0.0.1/d1":                   "looks like a URL that can't be read",
		"postgres:d1:Summer@127.0.0.1":                       "looks like a URL that can't be read",
		"d1:Summer@127.0.0.1/d1":                             "looks like a URL that can't be read",
		"//d1:Summer@127.0.0.1/d1":                           "looks like a URL that can't be read",
		"mysql://d1:Summer@127.0.0.1/d1":                     `no kind of database called "mysql"`,
		"postgresql+psycopg://d1:Summer@127.0.0.1/d1":        `no kind of database called "postgresql+psycopg"`,
		"sqlite:///keypeg.db":                                `no kind of database called "sqlite"`,
		"file:keypeg.db":                                     "looks like a URL that can't be read",
		"Server=h;Password=Summer":                           "written in words such as host=",
		"data source=h;pwd=Summer":                           "written in words such as host=",
		"User ID=d1; Pwd = Summer":                           "written in words such as host=",
		"h;pwd=Summer":                                       "written in words such as host=",
		"/db;password=Summer":                                "written in words such as host=",
		"//db/keypeg?user=d1&password=Summer":                "written in words such as host=",
		`{"host":"db","password":"Summer"}`:                  "isn't clearly a path",
		"(DESCRIPTION=(PASSWORD=Summer))":                    "isn't clearly a path",
		"password: Summer":                                   "looks like a URL that can't be read",
		"d1/Summer@db":                                       "isn't clearly a path (if it is one, write it with ./ in front)",
		"Summer#2024!":                                       "isn't clearly a path",
		" ":                                                  "the database has no name",
		"keypeg.db\n":                                        "has a line break in it",
	} {
		for _, args := range [][]string{
			{"user", "list", "--database", text},
			{"serve", "--database", text, "--listen", "localhost:0"},
			{"store", "copy", "--from", text, "--to", "copy.db"},
			{"store", "copy", "--from", "nothing.db", "--to", text},
			{"backup", "backup.db", "--database", text},
		} {
			out, err := command(t, args...).CombinedOutput()
			if err == nil || strings.Contains(string(out), "Summer") || strings.Contains(string(out), "2024") {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
			if args[0] != "store" && !strings.Contains(string(out), says) {
				t.Errorf("%v: got %q, want %q", args, out, says)
			}
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) > 0 {
		t.Errorf("it made %v (%v)", entries, err)
	}
	for _, text := range []string{"keypeg.db", "data/keypeg.db", "Meine Daten/Schlüssel (2).db", "./a@b.db", "../a#b.db", "/srv/a=b.db", `C:\keypeg.db`, "postgres://keypeg@db/keypeg", "postgres://k:p%23%40@h1:1,h2:2/db?sslmode=require", "postgresql:///keypeg?host=/var/run/postgresql", "postgres://k:p@%2Fvar%2Frun%2Fpostgresql/keypeg", "postgres://k%40server:p@db/keypeg", "postgres://k@[::1]:5433/keypeg?TimeZone=UTC&password=%3D%26%3B", "postgres://k:a=b;c&d@db/keypeg", "postgres://db/a%40b"} {
		if err := installation.DriverOf(text, "").Check(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	t.Run("from variables", func(t *testing.T) {
		t.Setenv("PGPASSFILE", os.DevNull)
		t.Setenv("PGSERVICEFILE", os.DevNull)
		if err := installation.DriverOf("postgres://d1@db/d1", "").Check(); err != nil {
			t.Errorf("without a file of passwords: %v", err)
		}
		t.Setenv("PGDATABASE", "postgres://d1:Summer@db/d1")
		if err := installation.DriverOf("postgres://d1@db", "").Check(); err == nil || strings.Contains(err.Error(), "Summer") {
			t.Errorf("a URL for the name of a database: %v", err)
		}
	})
}
