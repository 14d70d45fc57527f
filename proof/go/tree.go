package verify

import "math/bits"

// leafHash is H(0x00 ‖ encoded leaf) (section 4).
func (s HashSuite) leafHash(encoded []byte) Hash { return s.sum([]byte{0}, encoded) }

// nodeHash is H(0x01 ‖ left ‖ right) (section 4).
func (s HashSuite) nodeHash(left, right Hash) Hash {
	return s.sum([]byte{1}, left[:], right[:])
}

// inclusionLength is the number of hashes of an inclusion proof (section 4).
// The index is below the size.
func inclusionLength(index, size uint64) int {
	m := bits.Len64(index ^ (size - 1))
	return m + bits.OnesCount64(index>>m)
}

// impliedRoot is the root that a path gives for the leaf at index of a tree of
// size leaves: RFC 9162, 2.1.3.2, with the codes of section 4.
func impliedRoot(s HashSuite, leaf Hash, index, size uint64, path []Hash) (Hash, Code) {
	if index >= size {
		return Hash{}, CodeIndexOutOfTree
	}
	if len(path) != inclusionLength(index, size) {
		return Hash{}, CodePathLength
	}
	// Below the height m the index says on which side a sibling is; above
	// it, the leaf is on the right edge and every sibling is on the left.
	m := bits.Len64(index ^ (size - 1))
	at := leaf
	for i, sibling := range path {
		if i >= m || index>>i&1 == 1 {
			at = s.nodeHash(sibling, at)
		} else {
			at = s.nodeHash(at, sibling)
		}
	}
	return at, 0
}

// checkInclusion holds the root of impliedRoot against the tree's.
func checkInclusion(s HashSuite, leaf Hash, index, size uint64, path []Hash, root Hash) Code {
	found, code := impliedRoot(s, leaf, index, size, path)
	if code == 0 && found != root {
		return CodeNotIncluded
	}
	return code
}

// consistencyShape gives the number of hashes of a consistency proof and the
// numbers it is walked with (section 4): n and l shifted right together until
// n is even, and the height m at which they meet. It holds that 0 < older < newer.
func consistencyShape(older, newer uint64) (length, m int, n uint64) {
	n = older - 1
	shift := bits.TrailingZeros64(^n)
	n >>= shift
	l := (newer - 1) >> shift
	m = bits.Len64(n ^ l)
	length = m + bits.OnesCount64(n>>m)
	if n != 0 {
		length++
	}
	return length, m, n
}

// extendedRoot is the root that a consistency path gives for the tree of newer
// leaves that begins with the one of older leaves and this root: RFC 9162,
// 2.1.4.2, with the codes of section 4.
func extendedRoot(s HashSuite, older, newer uint64, path []Hash, olderRoot Hash) (Hash, Code) {
	if older == 0 {
		return Hash{}, CodeEmpty
	}
	if older > newer {
		return Hash{}, CodeOutOfRange
	}
	if older == newer {
		if len(path) != 0 {
			return Hash{}, CodePathLength
		}
		return olderRoot, 0
	}
	length, m, n := consistencyShape(older, newer)
	if len(path) != length {
		return Hash{}, CodePathLength
	}
	// The walk begins at the largest whole subtree that ends the older tree:
	// the first hash, or the older root itself when it is the whole tree.
	start := olderRoot
	if n != 0 {
		start, path = path[0], path[1:]
	}
	fr, sr := start, start
	for i, sibling := range path {
		if i >= m || n>>i&1 == 1 {
			fr = s.nodeHash(sibling, fr)
			sr = s.nodeHash(sibling, sr)
		} else {
			sr = s.nodeHash(sr, sibling)
		}
	}
	if fr != olderRoot {
		return Hash{}, CodeNotConsistent
	}
	return sr, 0
}

// checkConsistency holds the root of extendedRoot against the newer tree's.
func checkConsistency(s HashSuite, older, newer uint64, path []Hash, olderRoot, newerRoot Hash) Code {
	root, code := extendedRoot(s, older, newer, path, olderRoot)
	if code == 0 && root != newerRoot {
		return CodeNotConsistent
	}
	return code
}
