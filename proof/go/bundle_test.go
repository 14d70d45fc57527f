package verify_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	verify "zeugma.example/verify"
	"zeugma.example/verify/internal/vectors"
)

const bundles = "../../tests/vectors/evidence/"

func loadBundles(t testing.TB, name string) *vectors.BundleFile {
	t.Helper()
	f, err := vectors.LoadBundles(bundles + name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Every bundle of the vectors is judged as they say: the code of what is
// refused; of a report its bytes, its view and its words.
func TestBundleVectors(t *testing.T) {
	for _, name := range []string{"golden.json", "negative.json"} {
		f := loadBundles(t, name)
		if len(f.Cases) < 25 {
			t.Fatalf("%s has %d cases", name, len(f.Cases))
		}
		for i := range f.Cases {
			c := &f.Cases[i]
			t.Run(c.Name, func(t *testing.T) { checkBundle(t, f, c) })
		}
	}
}

// Every field altered by itself is refused with the code of the vectors, or the
// report has the bytes that they say.
func TestBundleFields(t *testing.T) {
	f, err := vectors.LoadAlterations(bundles + "fields.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) < 200 {
		t.Fatalf("%d cases", len(f.Cases))
	}
	for i := range f.Cases {
		c := &f.Cases[i]
		report, got, err := f.Judge(c)
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.Name, err)
		case got != c.Want():
			t.Errorf("%s: expected %d, got %d %s", c.Name, c.Want(), got, got.Name())
		case got == 0 && hex.EncodeToString(report.Bytes()) != *c.Report:
			t.Errorf("%s: another report", c.Name)
		}
	}
}

// Every byte of a bundle counts, and so does its length.
func TestBundleBytes(t *testing.T) {
	f := loadBundles(t, "golden.json")
	for i := range f.Cases {
		c := f.Cases[i]
		data, err := hex.DecodeString(c.Bundle)
		if err != nil {
			t.Fatal(err)
		}
		step := 211
		if os.Getenv(everyBit) != "" {
			step = 1
		}
		for at := i % step; at < len(data); at += step {
			bad := append([]byte(nil), data...)
			bad[at] ^= 1 << (at % 8)
			for _, altered := range [][]byte{bad, data[:at]} {
				c.Bundle = hex.EncodeToString(altered)
				if _, code, err := f.Judge(&c); code == 0 || err != nil {
					t.Fatalf("%s: byte %d: %d %v", c.Name, at, code, err)
				}
			}
		}
	}
}

func checkBundle(t *testing.T, f *vectors.BundleFile, c *vectors.BundleCase) {
	report, got, err := f.Judge(c)
	if err != nil {
		t.Fatal(err)
	}
	if got != c.Want() {
		t.Fatalf("expected %d %s, got %d %s", c.Want(), c.Want().Name(), got, got.Name())
	}
	if got != 0 {
		return
	}
	if text := hex.EncodeToString(report.Bytes()); text != *c.Report {
		t.Errorf("report\n%s\nexpected\n%s", text, *c.Report)
	}
	if text := report.Words(verify.English); text != *c.EN {
		t.Errorf("words\n%s\nexpected\n%s", text, *c.EN)
	}
	if text := report.Words(verify.Chinese); text != *c.ZH {
		t.Errorf("words\n%s\nexpected\n%s", text, *c.ZH)
	}
	var view any
	if err := json.Unmarshal([]byte(report.JSON()), &view); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(view, c.JSON) {
		t.Errorf("view\n%v\nexpected\n%v", view, c.JSON)
	}
}
