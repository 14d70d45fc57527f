package verify

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of proof files.
const (
	maxLogProof = 131072
	// maxExtra is that of the base64 of 16,384 bytes.
	maxExtra = 21848
)

// LogProof is a tlog-proof (section 12), read and not verified.
type LogProof struct {
	Suite HashSuite
	// Extra is authenticated by nothing; nil for none.
	Extra []byte
	Index uint64
	Path  []Hash

	checkpoint *checkpoint
}

var logProofHeaders = map[string]HashSuite{"c2sp.org/tlog-proof@v1": SHA256, "zeugma/tlog-proof-sm3@v1": SM3}

// ParseLogProof reads a proof file.
func ParseLogProof(data []byte) (*LogProof, error) {
	p := new(LogProof)
	return p, refused("log proof", p.read(data))
}

func (p *LogProof) read(data []byte) (code Code) {
	if len(data) > maxLogProof {
		return CodeTooLong
	}
	head, note, whole := strings.Cut(string(data), "\n\n")
	if !utf8.Valid(data) || !whole {
		return CodeBadLogProof
	}
	lines := strings.Split(head, "\n")
	if p.Suite = logProofHeaders[lines[0]]; p.Suite == 0 {
		return CodeBadLogProof
	}
	lines = lines[1:]
	if len(lines) > 0 {
		if text, there := strings.CutPrefix(lines[0], "extra "); there {
			if len(text) > maxExtra {
				return CodeTooLong
			}
			var ok bool
			if p.Extra, ok = strictBase64(text); !ok {
				return CodeBadLogProof
			}
			lines = lines[1:]
		}
	}
	if len(lines) == 0 {
		return CodeBadLogProof
	}
	text, there := strings.CutPrefix(lines[0], "index ")
	index, err := strconv.ParseUint(text, 10, 64)
	if !there || err != nil || strconv.FormatUint(index, 10) != text {
		return CodeBadLogProof
	}
	p.Index = index
	for _, line := range lines[1:] {
		if len(p.Path) == 64 {
			return CodeTooMany
		}
		hash, ok := strictBase64(line)
		if !ok || len(hash) != 32 {
			return CodeBadLogProof
		}
		p.Path = append(p.Path, Hash(hash))
	}
	p.checkpoint, code = parseCheckpoint(note)
	return code
}

// Verify checks that the log of this origin and key signed a tree in which the
// leaf stands at the index; it gives the tree's size.
func (p *LogProof) Verify(leaf []byte, origin, key string) (size uint64, err error) {
	c := p.checkpoint
	k, code := parseNoteKey(key)
	switch {
	case code != 0:
	case c.origin != origin:
		code = CodeWrongOrigin
	default:
		if _, code = c.verify(k); code == 0 {
			code = checkInclusion(p.Suite, p.Suite.leafHash(leaf), p.Index, c.size, p.Path, c.root)
		}
	}
	return c.size, refused("log proof", code)
}
