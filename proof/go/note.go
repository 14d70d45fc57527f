package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
)

// Bounds of notes and of their keys.
const (
	maxNote      = 65536
	maxNoteLines = 64
	maxKeyName   = 255
	// maxKeyText is a name, an id and an ML-DSA-44 key in base64.
	maxKeyText = maxKeyName + 10 + 4*(mldsa44.PublicKeySize+3)/3
)

// strictBase64 reads base64 with padding in its one canonical form.
func strictBase64(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	return data, err == nil
}

// noteLine is a signature line of a note.
type noteLine struct {
	name      string
	id        [4]byte
	signature []byte
}

// checkpoint is a signed note whose text is a tree head (section 12, "Notes and
// proofs"). None of its signatures is verified yet.
type checkpoint struct {
	text   string
	lines  []noteLine
	origin string
	size   uint64
	root   Hash
}

// parseCheckpoint reads a note of at most maxNote bytes and its text.
func parseCheckpoint(note string) (*checkpoint, Code) {
	c := new(checkpoint)
	if len(note) > maxNote {
		return nil, CodeTooLong
	}
	if !utf8.ValidString(note) {
		return nil, CodeBadNote
	}
	for i := range len(note) {
		if note[i] < ' ' && note[i] != '\n' {
			return nil, CodeBadNote
		}
	}
	if strings.Count(note, "\n") > maxNoteLines {
		return nil, CodeTooMany
	}
	split := strings.LastIndex(note, "\n\n")
	if split < 0 {
		return nil, CodeBadNote
	}
	c.text = note[:split+1]
	lines, whole := strings.CutSuffix(note[split+2:], "\n")
	if !whole {
		return nil, CodeBadNote
	}
	for _, text := range strings.Split(lines, "\n") {
		line, ok := parseNoteLine(text)
		if !ok {
			return nil, CodeBadNote
		}
		c.lines = append(c.lines, line)
	}
	if !c.readText() {
		return nil, CodeBadNote
	}
	return c, 0
}

func parseNoteLine(text string) (line noteLine, ok bool) {
	text, ok = strings.CutPrefix(text, "— ")
	if !ok {
		return line, false
	}
	name, encoded, ok := strings.Cut(text, " ")
	if !ok || !isKeyName(name) {
		return line, false
	}
	data, ok := strictBase64(encoded)
	if !ok || len(data) < 5 {
		return line, false
	}
	return noteLine{name, [4]byte(data[:4]), data[4:]}, true
}

// isKeyName: not empty, without spaces and plus.
func isKeyName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r == '+' || unicode.IsSpace(r) })
}

// readText reads origin, size, root, and extension lines that are not empty.
func (c *checkpoint) readText() bool {
	parts := strings.SplitN(c.text, "\n", 4)
	if len(parts) != 4 || parts[0] == "" {
		return false
	}
	c.origin = parts[0]
	size, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil || strconv.FormatUint(size, 10) != parts[1] {
		return false
	}
	c.size = size
	root, ok := strictBase64(parts[2])
	if !ok || len(root) != len(c.root) {
		return false
	}
	c.root = Hash(root)
	rest := parts[3]
	return rest == "" || strings.HasSuffix(rest, "\n") && rest[0] != '\n' && !strings.Contains(rest, "\n\n")
}

// repeated says that two lines are of one name and id.
func (c *checkpoint) repeated() bool {
	type who struct {
		name string
		id   [4]byte
	}
	seen := make(map[who]bool)
	for _, line := range c.lines {
		one := who{line.name, line.id}
		if seen[one] {
			return true
		}
		seen[one] = true
	}
	return false
}

// lineOf is the first line of a key, nil if there is none.
func (c *checkpoint) lineOf(k *noteKey) *noteLine {
	for i := range c.lines {
		if c.lines[i].name == k.name && c.lines[i].id == k.id {
			return &c.lines[i]
		}
	}
	return nil
}

// Types of note keys.
const (
	keyEd25519     = 0x01
	keyCosignature = 0x04
	keyMLDSA44     = 0x06
)

// noteKey is a public key with its name.
type noteKey struct {
	name string
	kind byte
	id   [4]byte
	key  []byte
}

// parseNoteKey reads name+id+base64(type ‖ key).
func parseNoteKey(text string) (*noteKey, Code) {
	if len(text) > maxKeyText {
		return nil, CodeTooLong
	}
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return nil, CodeBadKey
	}
	data, ok := strictBase64(parts[2])
	if !ok || len(data) == 0 {
		return nil, CodeBadKey
	}
	k := &noteKey{name: parts[0], kind: data[0], key: data[1:]}
	switch k.kind {
	case keyEd25519, keyCosignature:
		if !strictEd25519Key(k.key) {
			return nil, CodeBadKey
		}
	case keyMLDSA44:
		if len(k.key) != mldsa44.PublicKeySize {
			return nil, CodeBadKey
		}
	default:
		return nil, CodeBadKey
	}
	if len(k.name) > maxKeyName {
		return nil, CodeTooLong
	}
	if !isKeyName(k.name) || strings.ContainsFunc(k.name, unicode.IsControl) {
		return nil, CodeBadIdentifier
	}
	k.setID()
	if fmt.Sprintf("%x", k.id) != parts[1] {
		return nil, CodeBadKey
	}
	return k, 0
}

// setID computes the id from name, kind and key.
func (k *noteKey) setID() {
	digest := SHA256.sum([]byte(k.name), []byte{'\n', k.kind}, k.key)
	k.id = [4]byte(digest[:4])
}

// renamed is the same key under another name, and so under another id.
func (k *noteKey) renamed(name string) *noteKey {
	one := &noteKey{name: name, kind: k.kind, key: k.key}
	one.setID()
	return one
}

// algorithmName is the key's algorithm among the sunsets.
func (k *noteKey) algorithmName() string {
	if k.kind == keyMLDSA44 {
		return "ml-dsa-44"
	}
	return "ed25519"
}

// verify checks the first line of a key. at is the time in seconds that it
// states, nil for none.
func (c *checkpoint) verify(k *noteKey) (at *uint64, code Code) {
	line := c.lineOf(k)
	if line == nil {
		return nil, CodeUnknownSigner
	}
	signature := line.signature
	if k.kind == keyEd25519 {
		if len(signature) != 64 {
			return nil, CodeBadNote
		}
		return nil, verifyEd25519(k.key, []byte(c.text), signature)
	}
	if len(signature) < 8 {
		return nil, CodeBadNote
	}
	time := binary.BigEndian.Uint64(signature)
	if time > math.MaxInt64 {
		return nil, CodeOutOfRange
	}
	signature = signature[8:]
	if k.kind == keyCosignature {
		if len(signature) != 64 {
			return nil, CodeBadNote
		}
		text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, c.text)
		return &time, verifyEd25519(k.key, []byte(text), signature)
	}
	if len(signature) != mldsa44.SignatureSize {
		return nil, CodeBadNote
	}
	if len(c.origin) > 255 {
		return nil, CodeTooLong
	}
	if code := c.verifyMLDSA(k, time, signature); code != 0 || time == 0 {
		return nil, code
	}
	return &time, 0
}

func (c *checkpoint) verifyMLDSA(k *noteKey, time uint64, signature []byte) Code {
	var message bytes.Buffer
	message.WriteString("subtree/v1\n\x00")
	message.WriteByte(byte(len(k.name)))
	message.WriteString(k.name)
	message.Write(be64(time))
	message.WriteByte(byte(len(c.origin)))
	message.WriteString(c.origin)
	message.Write(be64(0))
	message.Write(be64(c.size))
	message.Write(c.root[:])
	var public mldsa44.PublicKey
	if public.UnmarshalBinary(k.key) != nil {
		return CodeBadKey
	}
	if !mldsa44.Verify(&public, message.Bytes(), nil, signature) {
		return CodeBadSignature
	}
	return 0
}
