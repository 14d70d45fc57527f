package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"reflect"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"zeugma.example/verify/internal/vectors"
)

const (
	goldenBundles   = "../../../../tests/vectors/evidence/golden.json"
	negativeBundles = "../../../../tests/vectors/evidence/negative.json"
)

func loadBundles(t *testing.T, name string) *vectors.BundleFile {
	t.Helper()
	f, err := vectors.LoadBundles(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// callBundle runs the command for a case, whatever the machine's locale and
// zone are set to.
func callBundle(t *testing.T, f *vectors.BundleFile, c *vectors.BundleCase, form string) (exit int, stdout, stderr string) {
	args := []string{
		"--trust", write(t, f.Parts[c.Trust]), "--policy", write(t, f.Parts[c.Policy]),
		"--time", fmt.Sprint(c.Time), "--form", form,
	}
	if c.File != nil {
		args = append(args, "--file", write(t, *c.File))
	}
	return call("", append(args, write(t, c.Bundle))...)
}

// The command prints the words and the view of the vectors, under any locale.
func TestBundleFiles(t *testing.T) {
	f := loadBundles(t, goldenBundles)
	for i := range f.Cases {
		c := &f.Cases[i]
		want := exitProven
		if strings.Contains(*c.EN, "shown to differ") {
			want = exitRefused
		}
		for _, locale := range []string{"C", "zh_CN.UTF-8", "tr_TR.UTF-8"} {
			t.Setenv("LC_ALL", locale)
			t.Setenv("TZ", "Asia/Shanghai")
			exit, stdout, stderr := callBundle(t, f, c, "en")
			if exit != want || stdout != *c.EN || stderr != "" {
				t.Fatalf("%s: %d %q %q", c.Name, exit, stdout, stderr)
			}
			if _, stdout, _ = callBundle(t, f, c, "zh"); stdout != *c.ZH {
				t.Fatalf("%s: %q", c.Name, stdout)
			}
			_, stdout, _ = callBundle(t, f, c, "json")
			var view any
			if err := json.Unmarshal([]byte(stdout), &view); err != nil || !reflect.DeepEqual(view, c.JSON) {
				t.Fatalf("%s: %v %q", c.Name, err, stdout)
			}
		}
	}
}

// What is refused is told with its code.
func TestRefusedBundles(t *testing.T) {
	f := loadBundles(t, negativeBundles)
	for i := range f.Cases {
		c := &f.Cases[i]
		exit, stdout, stderr := callBundle(t, f, c, "en")
		want := fmt.Sprintf("refused: %d %s:", c.Want(), c.Want().Name())
		if exit != exitRefused || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d %q %q", c.Name, exit, stdout, stderr)
		}
	}
}

// digestOf is the digest of a file in hexadecimal, nil for none.
func digestOf(t *testing.T, file *string, state hash.Hash) *string {
	t.Helper()
	if file == nil {
		return nil
	}
	data, err := hex.DecodeString(*file)
	if err != nil {
		t.Fatal(err)
	}
	state.Write(data)
	text := hex.EncodeToString(state.Sum(nil))
	return &text
}

// The stream answers with codes, and with the bytes of reports.
func TestBundleStream(t *testing.T) {
	var in, want strings.Builder
	for _, name := range []string{goldenBundles, negativeBundles} {
		f := loadBundles(t, name)
		for i := range f.Cases {
			c := &f.Cases[i]
			text, err := json.Marshal(map[string]any{
				"trust": f.Parts[c.Trust], "policy": f.Parts[c.Policy], "time": c.Time, "bundle": c.Bundle,
				"sha256": digestOf(t, c.File, sha256.New()), "sm3": digestOf(t, c.File, sm3.New()),
			})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&in, "%s\n", text)
			if c.Report != nil {
				fmt.Fprintf(&want, "0 %s\n", *c.Report)
			} else {
				fmt.Fprintln(&want, uint16(c.Want()))
			}
		}
	}
	exit, stdout, stderr := call(in.String(), "--stream")
	if exit != exitProven || stdout != want.String() || stderr != "" {
		t.Errorf("%d %s", exit, stderr)
	}
	// A trust file and a policy that are refused, in this order; no question.
	for line, want := range map[string]string{
		`{"trust":"","policy":"","time":1,"bundle":""}`:               "103\n",
		`{"trust":"5a475452555354325a","time":1,"bundle":"00"}`:       "112\n",
		`{"trust":"","policy":"","time":1,"bundle":"","sha256":"00"}`: "-1\n",
		`{"trust":"","policy":"","time":1,"bundle":"x"}`:              "-1\n",
	} {
		if _, stdout, _ := call(line, "--stream"); stdout != want {
			t.Errorf("%s: %q", line, stdout)
		}
	}
}

// Vectors of bundles run beside those of proofs, and a case that is turned
// round fails.
func TestBundleVectorsMode(t *testing.T) {
	total := len(load(t, golden).Cases) + len(loadBundles(t, goldenBundles).Cases)
	exit, stdout, _ := call("", "--vectors", golden, goldenBundles)
	if exit != exitProven || !strings.HasSuffix(stdout, fmt.Sprintf("\n%d passed, 0 failed\n", total)) {
		t.Errorf("%d %s", exit, stdout)
	}
	f := loadBundles(t, goldenBundles)
	f.Cases = f.Cases[:2]
	f.Cases[0].Report = f.Cases[1].Report
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	exit, stdout, _ = call("", "--vectors", write(t, hex.EncodeToString(text)))
	if exit != exitRefused || !strings.HasSuffix(stdout, "\n1 passed, 1 failed\n") {
		t.Errorf("%d %s", exit, stdout)
	}
}
