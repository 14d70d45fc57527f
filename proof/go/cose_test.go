package verify

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// coseKey signs receipts.
type coseKey struct {
	algorithm []byte
	spki      []byte
	sign      func(message []byte) []byte
}

func coseKeys(t *testing.T) map[string]coseKey {
	t.Helper()
	public := func(key any) []byte {
		data, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	onCurve := func(curve elliptic.Curve, digest func([]byte) []byte, number ...byte) coseKey {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return coseKey{number, public(&key.PublicKey), func(message []byte) []byte {
			r, s, err := ecdsa.Sign(rand.Reader, key, digest(message))
			if err != nil {
				t.Fatal(err)
			}
			half := curve.Params().BitSize / 8
			return append(r.FillBytes(make([]byte, half)), s.FillBytes(make([]byte, half))...)
		}}
	}
	seed := sha256.Sum256([]byte("seed"))
	edwards := ed25519.NewKeyFromSeed(seed[:])
	return map[string]coseKey{
		"ES256": onCurve(elliptic.P256(), func(m []byte) []byte { d := sha256.Sum256(m); return d[:] }, 0x26),
		"ES384": onCurve(elliptic.P384(), func(m []byte) []byte { d := sha512.Sum384(m); return d[:] }, 0x38, 34),
		"EdDSA": {[]byte{0x27}, public(edwards.Public()), func(m []byte) []byte { return ed25519.Sign(edwards, m) }},
	}
}

// receiptOf makes a receipt: the entry "b" of three, or the growth from two.
func (k *coseKey) receiptOf(consistency bool) []byte {
	var leaves []Hash
	for _, leaf := range []string{"a", "b", "c"} {
		leaves = append(leaves, SHA256.leafHash([]byte(leaf)))
	}
	root := SHA256.nodeHash(SHA256.nodeHash(leaves[0], leaves[1]), leaves[2])
	protected := slices.Concat([]byte{0xa3, 1}, k.algorithm, []byte{4, 0x41, 'k', 0x19, 1, 0x8b, 1})
	kind, proof := byte(0x20), []byte{0x83, 3, 1, 0x82}
	path := []Hash{leaves[0], leaves[2]}
	if consistency {
		kind, proof, path = 0x21, []byte{0x83, 2, 3, 0x81}, leaves[2:]
	}
	for _, hash := range path {
		proof = appendCBORBytes(proof, hash[:])
	}
	out := appendCBORBytes([]byte{0xd2, 0x84}, protected)
	out = append(out, 0xa1, 0x19, 1, 0x8c, 0xa1, kind, 0x81)
	out = append(appendCBORBytes(out, proof), 0xf6)
	r := &COSEReceipt{protected: protected}
	return appendCBORBytes(out, k.sign(r.signed(root)))
}

// judgeReceipt gives the code of a receipt of either kind.
func judgeReceipt(t *testing.T, data, key []byte, consistency bool) Code {
	t.Helper()
	return codeOf(t, func() error {
		r, err := ParseCOSEReceipt(data)
		if err != nil {
			return err
		}
		if consistency {
			_, err = r.VerifyConsistency(SHA256.nodeHash(SHA256.leafHash([]byte("a")), SHA256.leafHash([]byte("b"))), key)
		} else {
			_, err = r.VerifyInclusion([]byte("b"), key)
		}
		return err
	})
}

// Receipts of each algorithm hold, and nothing of them can be altered.
func TestCOSEReceipts(t *testing.T) {
	keys := coseKeys(t)
	for name, key := range keys {
		for _, consistency := range []bool{false, true} {
			data := key.receiptOf(consistency)
			if code := judgeReceipt(t, data, key.spki, consistency); code != 0 {
				t.Fatalf("%s: %d", name, code)
			}
			if code := judgeReceipt(t, data, key.spki, !consistency); code != CodeBadReceipt {
				t.Errorf("%s: %d", name, code)
			}
			for other, stranger := range keys {
				if other != name && judgeReceipt(t, data, stranger.spki, consistency) != CodeBadSignature {
					t.Errorf("%s under %s", name, other)
				}
			}
			for at := range data {
				bad := slices.Clone(data)
				bad[at] ^= 1
				if judgeReceipt(t, bad, key.spki, consistency) == 0 {
					t.Errorf("%s: accepted with byte %d changed", name, at)
				}
				if judgeReceipt(t, data[:at], key.spki, consistency) == 0 {
					t.Errorf("%s: accepted with %d bytes", name, at)
				}
			}
		}
	}
}

// Each rule of the form by itself.
func TestCOSEForm(t *testing.T) {
	key := coseKeys(t)["EdDSA"]
	whole := key.receiptOf(false)
	change := func(at int, with ...byte) []byte {
		out := slices.Clone(whole)
		copy(out[at:], with)
		return out
	}
	// d2 84 4a | a3 01 27 04 41 6b 19 018b 01 | a1 19018c a1 20 81 58 47 83 ...
	for name, c := range map[string]struct {
		data []byte
		want Code
	}{
		"another tag":          {change(0, 0xd3), CodeUnknownTag},
		"three parts":          {change(1, 0x83), CodeBadReceipt},
		"another algorithm":    {change(5, 0x28), CodeUnsupportedSuite},
		"what must be known":   {change(4, 2), CodeCriticalExtension},
		"a key twice":          {change(6, 1), CodeNotCanonical},
		"another structure":    {change(12, 2), CodeBadReceipt},
		"another kind":         {change(18, 0x22), CodeUnknownTag},
		"no proofs":            {change(15, 0), CodeNotCanonical},
		"two proofs":           {change(19, 0x82), CodeBadReceipt},
		"a long form":          {append([]byte{0xd8, 18}, whole[1:]...), CodeNotCanonical},
		"something after it":   {append(slices.Clone(whole), 0), CodeTrailingBytes},
		"too long":             {make([]byte, 16385), CodeTooLong},
		"a map without end":    {change(3, 0xbf), CodeNotCanonical},
		"too many members":     {change(3, 0xb9, 2, 0), CodeTooMany},
		"RSA with SHA-1":       {slices.Concat(whole[:2], []byte{0x45, 0xa1, 1, 0x39, 0xff, 0xfe}), CodeRefusedAlgorithm},
		"no tag":               {whole[1:], CodeUnknownTag},
		"nothing":              {nil, CodeTruncated},
		"an algorithm of text": {change(5, 0x60), CodeUnknownTag},
	} {
		if code := judgeReceipt(t, c.data, key.spki, false); code != c.want {
			t.Errorf("%s: expected %d, got %d", name, c.want, code)
		}
	}
}

// The published receipts are read; their keys are not published.
func TestPublishedCOSE(t *testing.T) {
	folder := os.Getenv("ZEUGMA_VECTORS")
	if folder == "" {
		folder = "../../../shared/vectors"
	}
	names, err := filepath.Glob(filepath.Join(folder, "cose", "*.cbor"))
	if err != nil || len(names) == 0 {
		t.Skipf("no published receipts in %s/cose: ZEUGMA_VECTORS names the folder", folder)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseCOSEReceipt(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Algorithm != -7 || len(r.Path) == 0 {
			t.Errorf("%s: algorithm %d, %d hashes", name, r.Algorithm, len(r.Path))
		}
	}
}
