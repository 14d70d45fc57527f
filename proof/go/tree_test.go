package verify

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"testing"
)

// The definitions of RFC 9162, 2.1, word by word, to hold tree.go against.

// split is the largest power of two below n, for n above 1.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

// mth is MTH(D[n]) of 2.1.1.
func mth(s HashSuite, d [][]byte) Hash {
	switch len(d) {
	case 0:
		return s.sum()
	case 1:
		return s.sum([]byte{0}, d[0])
	}
	k := split(len(d))
	left, right := mth(s, d[:k]), mth(s, d[k:])
	return s.sum([]byte{1}, left[:], right[:])
}

// auditPath is PATH(m, D[n]) of 2.1.3.1.
func auditPath(s HashSuite, m int, d [][]byte) []Hash {
	if len(d) == 1 {
		return nil
	}
	k := split(len(d))
	if m < k {
		return append(auditPath(s, m, d[:k]), mth(s, d[k:]))
	}
	return append(auditPath(s, m-k, d[k:]), mth(s, d[:k]))
}

// consistencyPath is PROOF(m, D[n]) of 2.1.4.1, 0 < m < n.
func consistencyPath(s HashSuite, m int, d [][]byte) []Hash { return subproof(s, m, d, true) }

func subproof(s HashSuite, m int, d [][]byte, whole bool) []Hash {
	if m == len(d) {
		if whole {
			return nil
		}
		return []Hash{mth(s, d)}
	}
	k := split(len(d))
	if m <= k {
		return append(subproof(s, m, d[:k], whole), mth(s, d[k:]))
	}
	return append(subproof(s, m-k, d[k:], false), mth(s, d[:k]))
}

func testLeaves(n int) [][]byte {
	d := make([][]byte, n)
	for i := range d {
		d[i] = binary.BigEndian.AppendUint64([]byte("leaf"), uint64(i))
	}
	return d
}

// altered gives copies of a path that are wrong, each with its code.
func altered(path []Hash, wrong Code) map[Code][][]Hash {
	out := map[Code][][]Hash{
		CodePathLength: {append(slices.Clone(path), Hash{1})},
	}
	if len(path) > 0 {
		out[CodePathLength] = append(out[CodePathLength], path[1:], path[:len(path)-1])
	}
	for i := range path {
		bad := slices.Clone(path)
		bad[i][31] ^= 1
		out[wrong] = append(out[wrong], bad)
	}
	return out
}

func sizesOf(s HashSuite) int {
	if s == SHA256 {
		return 70
	}
	return 18
}

func TestInclusion(t *testing.T) {
	for _, s := range []HashSuite{SHA256, SM3} {
		for n := 1; n <= sizesOf(s); n++ {
			d := testLeaves(n)
			root := mth(s, d)
			for i := range d {
				leaf, path := s.leafHash(d[i]), auditPath(s, i, d)
				check := func(index int, path []Hash, root Hash) Code {
					return checkInclusion(s, leaf, uint64(index), uint64(n), path, root)
				}
				want := func(code, want Code) {
					if code != want {
						t.Fatalf("%v, leaf %d of %d: %v, want %v", s, i, n, code, want)
					}
				}
				want(check(i, path, root), 0)
				want(check(i, path, Hash{}), CodeNotIncluded)
				want(check(n, path, root), CodeIndexOutOfTree)
				for code, paths := range altered(path, CodeNotIncluded) {
					for _, bad := range paths {
						want(check(i, bad, root), code)
					}
				}
				for j := range d {
					if code := check(j, path, root); j != i && code != CodeNotIncluded && code != CodePathLength {
						t.Fatalf("leaf %d of %d at %d: %v", i, n, j, code)
					}
				}
			}
		}
	}
}

func TestConsistency(t *testing.T) {
	for _, s := range []HashSuite{SHA256, SM3} {
		for n := 1; n <= sizesOf(s); n++ {
			d := testLeaves(n)
			newer := mth(s, d)
			for m := 1; m <= n; m++ {
				older := mth(s, d[:m])
				var path []Hash
				if m < n {
					path = consistencyPath(s, m, d)
				}
				check := func(path []Hash, older, newer Hash) Code {
					return checkConsistency(s, uint64(m), uint64(n), path, older, newer)
				}
				want := func(code, want Code) {
					if code != want {
						t.Fatalf("%v, %d in %d: %v, want %v", s, m, n, code, want)
					}
				}
				want(check(path, older, newer), 0)
				want(check(path, Hash{}, newer), CodeNotConsistent)
				want(check(path, older, Hash{}), CodeNotConsistent)
				for code, paths := range altered(path, CodeNotConsistent) {
					for _, bad := range paths {
						want(check(bad, older, newer), code)
					}
				}
			}
			if code := checkConsistency(s, 0, uint64(n), nil, s.sum(), newer); code != CodeEmpty {
				t.Fatalf("0 in %d: %v", n, code)
			}
			if code := checkConsistency(s, uint64(n)+1, uint64(n), nil, newer, newer); code != CodeOutOfRange {
				t.Fatalf("%d in %d: %v", n+1, n, code)
			}
		}
	}
}

// The published roots of the empty tree, SHA-256("") and SM3("").
func TestEmptyTree(t *testing.T) {
	for s, want := range map[HashSuite]string{
		SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		SM3:    "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
	} {
		if got := fmt.Sprintf("%x", mth(s, nil)); got != want {
			t.Errorf("%v: %s", s, got)
		}
	}
}

// walkLength counts the hashes that the loops of 2.1.3.2 and 2.1.4.2 take,
// with the RFC's numbers fn and sn, until sn is 0.
func walkLength(fn, sn uint64) (n int) {
	for sn != 0 {
		if fn&1 == 1 || fn == sn {
			n++
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			n++
		}
		fn, sn = fn>>1, sn>>1
	}
	return n
}

// The numbers of hashes agree with the RFC's loops, at the largest sizes too.
func TestPathLengths(t *testing.T) {
	sizes := []uint64{math.MaxUint64, math.MaxUint64 - 1, 1 << 63, 1<<63 + 1, 1<<63 - 1, 1<<40 + 12345}
	for n := uint64(1); n <= 300; n++ {
		sizes = append(sizes, n)
	}
	for _, size := range sizes {
		indexes := []uint64{0, 1, size / 3, size / 2, size - 2, size - 1}
		for i := range uint64(300) {
			indexes = append(indexes, i)
		}
		for _, index := range indexes {
			if index >= size {
				continue
			}
			if got, want := inclusionLength(index, size), walkLength(index, size-1); got != want {
				t.Fatalf("inclusion of %d in %d: %d, want %d", index, size, got, want)
			}
			if older := index; older > 0 {
				fn, sn := older-1, size-1
				for fn&1 == 1 {
					fn, sn = fn>>1, sn>>1
				}
				want := walkLength(fn, sn)
				if older&(older-1) != 0 {
					want++ // the first hash; of a power of two it is the older root
				}
				if got, _, _ := consistencyShape(older, size); got != want {
					t.Fatalf("consistency of %d with %d: %d, want %d", older, size, got, want)
				}
			}
		}
	}
}
