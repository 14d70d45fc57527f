package verify_test

import (
	"encoding/hex"
	"encoding/json"
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
