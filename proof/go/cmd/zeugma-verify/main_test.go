package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeugma.example/verify/internal/vectors"
)

const (
	golden   = "../../../../tests/vectors/proof/golden.json"
	negative = "../../../../tests/vectors/proof/negative.json"
)

// call runs the command.
func call(stdin string, args ...string) (exit int, stdout, stderr string) {
	var out, errs bytes.Buffer
	exit = run(args, strings.NewReader(stdin), &out, &errs)
	return exit, out.String(), errs.String()
}

func load(t *testing.T, name string) *vectors.File {
	t.Helper()
	f, err := vectors.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// write puts hexadecimal bytes in a file.
func write(t *testing.T, text string) string {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The command and the vectors agree, for the cases that expect nothing.
func TestProofFiles(t *testing.T) {
	for _, name := range []string{golden, negative} {
		f := load(t, name)
		for i := range f.Cases {
			c := &f.Cases[i]
			if c.Path != nil || c.Value != nil {
				continue
			}
			exit, stdout, stderr := call("", "--trust", write(t, f.TrustFiles[c.Trust]),
				"--time", fmt.Sprint(c.Time), "--reliance", c.Reliance, write(t, c.Proof))
			if c.Want() == 0 {
				if exit != exitProven || !strings.HasPrefix(stdout, "proven") || stderr != "" {
					t.Errorf("%s: %d %q %q", c.Name, exit, stdout, stderr)
				}
				continue
			}
			want := fmt.Sprintf("refused: %d %s:", c.Want(), c.Want().Name())
			if exit != exitRefused || stdout != "" || !strings.Contains(stderr, want) {
				t.Errorf("%s: %d %q %q", c.Name, exit, stdout, stderr)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"proof"},
		{"--trust", "t", "proof"},
		{"--trust", "t", "--time", "x", "proof"},
		{"--trust", "t", "--time", "-1", "proof"},
		{"--trust", "t", "--time", "1"},
		{"--trust", "t", "--time", "1", "a", "b"},
		{"--trust", "t", "--time", "1", "--reliance", "nobody", "proof"},
		{"--trust", "does-not-exist", "--time", "1", "proof"},
		{"--vectors"},
		{"--vectors", "does-not-exist"},
		{"--vectors", "--stream", golden},
		{"--stream", "more"},
		{"--trust", "t", "--policy", "p", "bundle"},
		{"--trust", "t", "--policy", "p", "--time", "1", "--reliance", "court", "bundle"},
		{"--trust", "t", "--policy", "p", "--time", "1", "--form", "fr", "bundle"},
		{"--trust", "t", "--policy", "p", "--time", "1", "does-not-exist"},
		{"--trust", "t", "--time", "1", "--file", "f", "proof"},
		{"--unknown"},
	} {
		if exit, stdout, stderr := call("", args...); exit != exitUsage || stdout != "" || stderr == "" {
			t.Errorf("%q: %d %q %q", args, exit, stdout, stderr)
		}
	}
	if exit, _, _ := call("", "--help"); exit != exitProven {
		t.Error("--help")
	}
}

func TestVectorsMode(t *testing.T) {
	total := len(load(t, golden).Cases) + len(load(t, negative).Cases)
	exit, stdout, _ := call("", "--vectors", golden, negative)
	if exit != exitProven || !strings.HasSuffix(stdout, fmt.Sprintf("\n%d passed, 0 failed\n", total)) {
		t.Errorf("%d %s", exit, stdout)
	}
	// With an answer turned round, a case fails.
	f := load(t, golden)
	f.Cases = f.Cases[:1]
	f.Cases[0].Name = "turned"
	wrong := f.Cases[0].Want() + 308
	f.Cases[0].Code = &wrong
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	exit, stdout, stderr := call("", "--vectors", write(t, hex.EncodeToString(text)))
	if exit != exitRefused || stdout != "FAIL turned: expected 308 NotIncluded, got proven\n0 passed, 1 failed\n" {
		t.Errorf("%d %q %q", exit, stdout, stderr)
	}
}

func TestStream(t *testing.T) {
	var in, want strings.Builder
	for _, name := range []string{golden, negative} {
		f := load(t, name)
		for i := range f.Cases {
			c := &f.Cases[i]
			text, err := json.Marshal(streamLine{Question: c.Question, Trust: f.TrustFiles[c.Trust]})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&in, "%s\n", text)
			fmt.Fprintln(&want, uint16(c.Want()))
		}
	}
	exit, stdout, stderr := call(in.String(), "--stream")
	if exit != exitProven || stdout != want.String() || stderr != "" {
		t.Errorf("%d %q %q", exit, stdout, stderr)
	}
	// A last line without its end, a trust file that is refused, and lines
	// that are no questions.
	for line, want := range map[string]string{
		`{"trust":"","time":1,"reliance":"court","path":null,"value":null,"proof":""}`:                   "103\n",
		`{"trust":"5a475452555354325a","time":1,"reliance":"court","path":null,"value":null,"proof":""}`: "112\n",
		`{"trust":"x","time":1,"reliance":"court","path":null,"value":null,"proof":""}`:                  "-1\n",
		`{"trust":`: "-1\n",
		``:          "",
	} {
		if _, stdout, _ := call(line, "--stream"); stdout != want {
			t.Errorf("%s: %q", line, stdout)
		}
	}
}
