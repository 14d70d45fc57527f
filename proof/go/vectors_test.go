package verify_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	verify "zeugma.example/verify"
	"zeugma.example/verify/internal/vectors"
)

const (
	golden   = "../../tests/vectors/proof/golden.json"
	negative = "../../tests/vectors/proof/negative.json"
)

// everyBit is the environment variable that asks for every bit flip instead of
// a sample, which takes minutes.
const everyBit = "ZEUGMA_EVERY_BIT"

// sampled is how many bits of a golden proof are flipped unless everyBit is set.
const sampled = 300

func load(t testing.TB, name string) *vectors.File {
	t.Helper()
	f, err := vectors.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) == 0 {
		t.Fatalf("%s has no cases", name)
	}
	return f
}

// goldenProof is a golden case, ready to be asked again.
type goldenProof struct {
	name     string
	proof    []byte
	trust    *verify.Trust
	time     uint64
	reliance verify.Reliance
}

func goldens(t testing.TB) (list []goldenProof) {
	t.Helper()
	f := load(t, golden)
	for i := range f.Cases {
		c := &f.Cases[i]
		trustBytes, err := f.TrustBytes(c)
		if err != nil {
			t.Fatal(err)
		}
		trust, err := verify.ParseTrust(trustBytes)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := hex.DecodeString(c.Proof)
		if err != nil {
			t.Fatal(err)
		}
		reliance, ok := verify.ParseReliance(c.Reliance)
		if !ok {
			t.Fatal(c.Reliance)
		}
		list = append(list, goldenProof{c.Name, proof, trust, c.Time, reliance})
	}
	return list
}

func (g *goldenProof) code(t testing.TB, proof []byte) verify.Code {
	t.Helper()
	_, err := g.trust.Verify(proof, g.time, g.reliance, verify.Expected{})
	code, err := vectors.CodeOf(err)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestVectors(t *testing.T) {
	for _, name := range []string{golden, negative} {
		f := load(t, name)
		for i := range f.Cases {
			c := &f.Cases[i]
			t.Run(c.Name, func(t *testing.T) {
				got, err := f.Run(c)
				if err != nil {
					t.Fatal(err)
				}
				if got != c.Want() {
					t.Fatalf("expected %d %s, got %d %s", c.Want(), c.Want().Name(), got, got.Name())
				}
			})
		}
	}
}

// Every beginning of a golden proof ends early.
func TestTruncations(t *testing.T) {
	for _, g := range goldens(t) {
		for n := range g.proof {
			if code := g.code(t, g.proof[:n]); code != verify.CodeTruncated {
				t.Fatalf("%s, %d of %d bytes: %d", g.name, n, len(g.proof), code)
			}
		}
	}
}

// Every bit of a golden proof counts.
func TestBitFlips(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	all := os.Getenv(everyBit) != ""
	for _, g := range goldens(t) {
		bits := random.Perm(len(g.proof) * 8)
		if !all {
			bits = bits[:min(sampled, len(bits))]
		}
		for _, bit := range bits {
			bad := append([]byte(nil), g.proof...)
			bad[bit/8] ^= 1 << (bit % 8)
			if g.code(t, bad) == 0 {
				t.Fatalf("%s: accepted with bit %d of byte %d flipped", g.name, bit%8, bit/8)
			}
		}
	}
}

// Damaged trust files are refused, or read as a file with another
// fingerprint or other signatures; they never make the verifier fail.
func TestTrustFiles(t *testing.T) {
	f := load(t, golden)
	for name, text := range f.TrustFiles {
		data, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for n := range data {
			if _, err := verify.ParseTrust(data[:n]); !isCode(err, verify.CodeTruncated) {
				t.Fatalf("%s, %d bytes: %v", name, n, err)
			}
		}
		if _, err := verify.ParseTrust(append(data[:len(data):len(data)], 0)); !isCode(err, verify.CodeTrailingBytes) {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if _, err := verify.ParseTrust(make([]byte, 16<<20+1)); !isCode(err, verify.CodeTooLong) {
		t.Fatal(err)
	}
}

// The institutions' signatures in the vectors are of the fingerprint.
func TestFingerprint(t *testing.T) {
	checked := 0
	for _, g := range goldens(t) {
		for _, s := range g.trust.Signatures {
			key := g.trust.Institutions[s.Institution].Key
			if !ed25519.Verify(key[:], g.trust.Fingerprint[:], s.Signature) {
				t.Fatalf("%s: institution %d", g.name, s.Institution)
			}
			checked++
		}
	}
	t.Logf("%d signatures", checked)
}

func isCode(err error, code verify.Code) bool {
	var refusal *verify.Refusal
	return errors.As(err, &refusal) && refusal.Code == code
}

func TestLength(t *testing.T) {
	g := goldens(t)[0]
	long := make([]byte, 1<<20+1)
	copy(long, g.proof)
	if code := g.code(t, long); code != verify.CodeTooLong {
		t.Error(code)
	}
	if code := g.code(t, long[:1<<20]); code != verify.CodeTrailingBytes {
		t.Error(code)
	}
}

// FuzzVerify looks for a proof that is accepted although nobody made it: what
// is accepted must be one of the golden leaves under a golden header.
func FuzzVerify(f *testing.F) {
	all := goldens(f)
	var trusts []*verify.Trust
	number := make(map[*verify.Trust]int)
	byPrint := make(map[verify.Hash]int)
	type statement struct{ header, leaf string }
	known := make(map[statement]bool)
	of := func(h *verify.Header, l *verify.Leaf) statement {
		return statement{string(h.Encoded()), string(l.Encoded())}
	}
	for _, g := range all {
		if _, ok := byPrint[g.trust.Fingerprint]; !ok {
			byPrint[g.trust.Fingerprint] = len(trusts)
			trusts = append(trusts, g.trust)
		}
		number[g.trust] = byPrint[g.trust.Fingerprint]
		p, err := verify.ParseProof(g.proof)
		if err != nil {
			f.Fatal(err)
		}
		known[of(&p.Header, &p.Leaf)] = true
		f.Add(g.proof, uint8(number[g.trust]), g.time, g.reliance == verify.Destination)
	}
	f.Fuzz(func(t *testing.T, proof []byte, which uint8, at uint64, destination bool) {
		reliance := verify.Court
		if destination {
			reliance = verify.Destination
		}
		proven, err := trusts[int(which)%len(trusts)].Verify(proof, at, reliance, verify.Expected{})
		if err == nil && !known[of(&proven.Header, &proven.Leaf)] {
			t.Fatalf("accepted: %x", proof)
		}
		var refusal *verify.Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Fatalf("not a refusal: %v", err)
		}
	})
}

// FuzzTrust looks for a trust file that makes reading fail.
func FuzzTrust(f *testing.F) {
	for _, g := range load(f, golden).TrustFiles {
		data, err := hex.DecodeString(g)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := verify.ParseTrust(data)
		var refusal *verify.Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Fatalf("not a refusal: %v", err)
		}
	})
}
