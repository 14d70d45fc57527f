package verify

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of records.
const maxFields = 40

// Entry is the leaf of an evidence log: the salted commitment to a record.
type Entry struct {
	SHA256 Hash
	// SM3 is nil in a log of one tree.
	SM3 *Hash

	encoded []byte
}

// Field is one field of a record (section 12).
type Field struct {
	Tag uint8
	// Digest is of tags 1 and 2, Text of 3, 5 and 6, Size of 4, Name and Value
	// of 7.
	Digest Hash
	Text   string
	Size   uint64
	Name   string
	Value  []byte

	encoded []byte
}

// Shown is a field of a disclosure: open with its salt, or its commitments.
type Shown struct {
	Salt  Hash
	Field *Field

	SHA256 Hash
	SM3    *Hash
}

// entry reads an Entry: the first root is of SHA-256, the second of SM3.
func (r *reader) entry() (e Entry) {
	start := r.pos
	r.require(r.u8() == 1, CodeUnknownTag)
	n := r.count(2)
	var suites []HashSuite
	var roots []Hash
	for i := 0; i < n && r.ok(); i++ {
		suites, roots = append(suites, r.hashSuite()), append(roots, r.hash())
	}
	r.require(len(suites) > 0 && suites[0] == SHA256, CodeNoSuchRoot)
	r.require(len(suites) < 2 || suites[1] == SM3, CodeNotSorted)
	if !r.ok() {
		return e
	}
	e.SHA256 = roots[0]
	if len(roots) == 2 {
		e.SM3 = &roots[1]
	}
	e.encoded = r.since(start)
	return e
}

// field reads a Field with its own rules.
func (r *reader) field() *Field {
	start := r.pos
	f := &Field{Tag: r.u8()}
	good := true
	switch f.Tag {
	case 1, 2:
		f.Digest = r.hash()
	case 3:
		f.Text = r.text(127)
		good = isMediaType(f.Text)
	case 4:
		f.Size = r.u64()
	case 5:
		f.Text = r.text(128)
		good = isLine(f.Text)
	case 6:
		f.Text = r.text(255)
		good = isLine(f.Text)
	case 7:
		f.Name, f.Value = r.text(64), r.bytes(4096)
		good = isLine(f.Name)
	default:
		r.refuse(CodeUnknownTag)
	}
	r.require(good, CodeBadIdentifier)
	f.encoded = r.since(start)
	return f
}

func isLine(text string) bool { return text != "" && !strings.ContainsFunc(text, unicode.IsControl) }

func isMediaType(text string) bool {
	before, after, found := strings.Cut(text, "/")
	return found && before != "" && after != "" &&
		!strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// name is that in words.
func (f *Field) name() string {
	if f.Tag == 7 {
		return f.Name
	}
	return [...]string{1: "sha256", 2: "sm3", 3: "media_type", 4: "size", 5: "submitter", 6: "origin"}[f.Tag]
}

// String is the field for people: bytes that are no line of text are in hexadecimal.
func (f *Field) String() string {
	text := f.Text
	switch f.Tag {
	case 1, 2:
		text = hex.EncodeToString(f.Digest[:])
	case 4:
		text = fmt.Sprint(f.Size)
	case 7:
		text = string(f.Value)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			text = hex.EncodeToString(f.Value)
		}
	}
	return f.name() + " = " + text
}

// disclosure reads a Disclosure.
func (r *reader) disclosure() (list []Shown) {
	n := r.count(maxFields)
	for i := 0; i < n && r.ok(); i++ {
		var s Shown
		switch r.u8() {
		case 1:
			s.Salt, s.Field = r.hash(), r.field()
		case 2:
			s.SHA256, s.SM3 = r.hash(), r.maybeHash()
		default:
			r.refuse(CodeUnknownTag)
		}
		list = append(list, s)
	}
	return list
}

// maybeHash reads option<[32]>.
func (r *reader) maybeHash() *Hash {
	if !r.some() {
		return nil
	}
	h := r.hash()
	return &h
}

// checkDisclosure checks that the fields are those of the entry, in every suite
// it has (section 12).
func (e *Entry) checkDisclosure(list []Shown) Code {
	var before *Field
	for _, s := range list {
		if s.Field == nil {
			continue
		}
		if before != nil && (before.Tag > s.Field.Tag || before.Tag == s.Field.Tag && before.Name >= s.Field.Name) {
			return CodeNotSorted
		}
		before = s.Field
	}
	if e.root(SHA256, list) != e.SHA256 {
		return CodeWrongDisclosure
	}
	for _, s := range list {
		if s.Field == nil && (s.SM3 == nil) != (e.SM3 == nil) {
			return CodeWrongDisclosure
		}
	}
	if e.SM3 != nil && e.root(SM3, list) != *e.SM3 {
		return CodeWrongDisclosure
	}
	return 0
}

// root is the commitment to all fields under one suite.
func (e *Entry) root(s HashSuite, list []Shown) Hash {
	all := []byte{0, 0, 0, byte(len(list))}
	for _, one := range list {
		commitment := one.SHA256
		switch {
		case one.Field != nil:
			commitment = s.framed(purposeEntryField, append(one.Salt[:], one.Field.encoded...))
		case s == SM3 && one.SM3 != nil:
			commitment = *one.SM3
		}
		all = append(all, commitment[:]...)
	}
	return s.framed(purposeEntry, all)
}
