package verify_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	verify "zeugma.example/verify"
)

// loggedProof is one log of the vectors of section 12.
type loggedProof struct {
	Suite string   `json:"suite"`
	Leaf  string   `json:"leaf_257"`
	Proof string   `json:"proof_257"`
	Keys  []string `json:"vkeys"`
}

func loggedProofs(t *testing.T) []loggedProof {
	t.Helper()
	data, err := os.ReadFile("../../tests/vectors/evidence-log/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Logs []loggedProof `json:"logs"`
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Logs) < 2 {
		t.Fatal(err, len(file.Logs))
	}
	return file.Logs
}

// judge gives the code of a proof file.
func (l *loggedProof) judge(t *testing.T, proof, origin, key string) verify.Code {
	t.Helper()
	leaf, err := hex.DecodeString(l.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	p, err := verify.ParseLogProof([]byte(proof))
	if err == nil {
		_, err = p.Verify(leaf, origin, key)
	}
	if err == nil {
		return 0
	}
	return err.(*verify.Refusal).Code
}

// The proof files of the vectors hold under each key of their log.
func TestLogProofs(t *testing.T) {
	for _, log := range loggedProofs(t) {
		origin, _, _ := strings.Cut(log.Keys[0], "+")
		for _, key := range log.Keys {
			if code := log.judge(t, log.Proof, origin, key); code != 0 {
				t.Errorf("%s: %d", key, code)
			}
		}
		index := strings.Index(log.Proof, "index ")
		for name, c := range map[string]struct {
			proof, origin, key string
			want               verify.Code
		}{
			"another origin":  {log.Proof, "log.example/other", log.Keys[0], verify.CodeWrongOrigin},
			"a key of no one": {log.Proof, origin, "x", verify.CodeBadKey},
			"no checkpoint":   {log.Proof[:index], origin, log.Keys[0], verify.CodeBadLogProof},
			"another index":   {strings.Replace(log.Proof, "index 257", "index 256", 1), origin, log.Keys[0], verify.CodeNotIncluded},
			"a sign":          {strings.Replace(log.Proof, "index 257", "index +257", 1), origin, log.Keys[0], verify.CodeBadLogProof},
			"beyond":          {strings.Replace(log.Proof, "index 257", "index 300", 1), origin, log.Keys[0], verify.CodeIndexOutOfTree},
			"another version": {strings.Replace(log.Proof, "@v1", "@v2", 1), origin, log.Keys[0], verify.CodeBadLogProof},
			"too long":        {log.Proof + strings.Repeat("x", 131072), origin, log.Keys[0], verify.CodeTooLong},
			"many hashes": {strings.Replace(log.Proof, "index 257\n", "index 257\n"+strings.Repeat(strings.Repeat("A", 43)+"=\n", 65), 1),
				origin, log.Keys[0], verify.CodeTooMany},
			"extra in another form": {log.Proof[:index] + "extra =\n" + log.Proof[index:], origin, log.Keys[0], verify.CodeBadLogProof},
		} {
			if code := log.judge(t, c.proof, c.origin, c.key); code != c.want {
				t.Errorf("%s: expected %d, got %d", name, c.want, code)
			}
		}
		// Past the extra line every byte up to the first signature counts.
		end := strings.LastIndex(log.Proof, "\n\n")
		for at := index; at < end; at++ {
			bad := []byte(log.Proof)
			bad[at] ^= 1
			if log.judge(t, string(bad), origin, log.Keys[0]) == 0 {
				t.Errorf("accepted with byte %d changed", at)
			}
		}
	}
}
