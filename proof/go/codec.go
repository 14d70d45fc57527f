package verify

import (
	"cmp"
	"encoding/binary"
	"unicode/utf8"
)

// reader decodes from the front (section 1). The first rule that breaks is
// kept as its code; from then on every read gives zero values and no later
// rule overwrites the code.
type reader struct {
	data []byte
	pos  int
	code Code
}

func newReader(data []byte) *reader { return &reader{data: data} }

func (r *reader) ok() bool { return r.code == 0 }

// refuse records a broken rule, unless one broke before.
func (r *reader) refuse(code Code) {
	if r.code == 0 {
		r.code = code
	}
}

// require refuses with code unless holds.
func (r *reader) require(holds bool, code Code) {
	if !holds {
		r.refuse(code)
	}
}

// take gives the next n bytes without copying them, or nil.
func (r *reader) take(n int) []byte {
	if r.code != 0 {
		return nil
	}
	if n > len(r.data)-r.pos {
		r.refuse(CodeTruncated)
		return nil
	}
	b := r.data[r.pos : r.pos+n : r.pos+n]
	r.pos += n
	return b
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// fixed gives a copy of the next n bytes.
func (r *reader) fixed(n int) []byte { return append([]byte(nil), r.take(n)...) }

func (r *reader) hash() (h Hash) {
	copy(h[:], r.take(len(h)))
	return h
}

// bytes is bytes<max>: the length is checked before anything is read or
// allocated.
func (r *reader) bytes(max uint32) []byte {
	n := r.u32()
	r.require(n <= max, CodeTooLong)
	if !r.ok() {
		return nil
	}
	return r.fixed(int(n))
}

// text is text<max>.
func (r *reader) text(max uint32) string {
	b := r.bytes(max)
	r.require(utf8.Valid(b), CodeBadText)
	if !r.ok() {
		return ""
	}
	return string(b)
}

// count is the number of items of list<T, max>. Nothing is allocated for
// them: the items are appended as they are read.
func (r *reader) count(max uint32) int {
	n := r.u32()
	r.require(n <= max, CodeTooMany)
	if !r.ok() {
		return 0
	}
	return int(n)
}

// some reads the tag of option<T>.
func (r *reader) some() bool {
	tag := r.u8()
	r.require(tag <= 1, CodeUnknownTag)
	return r.ok() && tag == 1
}

// hashes is list<[32], max>.
func (r *reader) hashes(max uint32) []Hash {
	n := r.count(max)
	list := []Hash{}
	for i := 0; i < n && r.ok(); i++ {
		list = append(list, r.hash())
	}
	return list
}

// ascends says that the keys of a list ascend strictly. What the items of a
// list must be together is checked when the last one has been read (section 1).
func ascends[T any, K cmp.Ordered](list []T, key func(*T) K) bool {
	for i := 1; i < len(list); i++ {
		if key(&list[i-1]) >= key(&list[i]) {
			return false
		}
	}
	return true
}

// since gives the bytes read from position start on.
func (r *reader) since(start int) []byte { return r.data[start:r.pos:r.pos] }

// end refuses bytes that are left over.
func (r *reader) end() { r.require(r.pos == len(r.data), CodeTrailingBytes) }

// appendBytes appends bytes<max> of a value that is known to fit.
func appendBytes(to, value []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(value)))
	return append(to, value...)
}

// appendVarint appends the unsigned LEB128 of n in its shortest form
// (section 5, certificate).
func appendVarint(to []byte, n uint64) []byte {
	for n >= 0x80 {
		to = append(to, byte(n)|0x80)
		n >>= 7
	}
	return append(to, byte(n))
}
