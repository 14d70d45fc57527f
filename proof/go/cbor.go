package verify

import (
	"math"
	"unicode/utf8"
)

// Kinds of CBOR items.
const (
	cborUnsigned = 0
	cborNegative = 1
	cborBytes    = 2
	cborText     = 3
	cborArray    = 4
	cborMap      = 5
	cborTag      = 6
	cborSimple   = 7
)

// Bounds of CBOR.
const (
	maxMembers   = 256
	maxCBORDepth = 8
)

// cbor is a cursor over CBOR items (section 13, "COSE receipts"). The first
// rule that breaks is kept, also for every cursor over the inside of an item.
type cbor struct {
	rest []byte
	code *Code
}

func (c *cbor) ok() bool { return *c.code == 0 }

func (c *cbor) require(holds bool, code Code) {
	if *c.code == 0 && !holds {
		*c.code = code
	}
}

func (c *cbor) end() { c.require(len(c.rest) == 0, CodeTrailingBytes) }

func (c *cbor) take(n uint64) []byte {
	c.require(n <= uint64(len(c.rest)), CodeTruncated)
	if !c.ok() {
		return nil
	}
	out := c.rest[:n]
	c.rest = c.rest[n:]
	return out
}

// head reads the kind and the number of the next item, in its shortest form.
func (c *cbor) head() (kind byte, number uint64) {
	first := c.take(1)
	if !c.ok() {
		return 0, 0
	}
	kind = first[0] >> 5
	short := first[0] & 0x1f
	if short < 24 {
		return kind, uint64(short)
	}
	c.require(short <= 27, CodeNotCanonical)
	if !c.ok() {
		return kind, 0
	}
	for _, b := range c.take(1 << (short - 24)) {
		number = number<<8 | uint64(b)
	}
	least := [...]uint64{24, 1 << 8, 1 << 16, 1 << 32}[short-24]
	c.require(kind == cborSimple || number >= least, CodeNotCanonical)
	return kind, number
}

func (c *cbor) expect(kind byte) uint64 {
	found, number := c.head()
	c.require(found == kind, CodeUnknownTag)
	return number
}

// integer reads a label, or the number of an algorithm.
func (c *cbor) integer() int64 {
	kind, number := c.head()
	c.require(number <= math.MaxInt64, CodeOutOfRange)
	c.require(kind <= cborNegative, CodeUnknownTag)
	if kind == cborNegative {
		return -1 - int64(number)
	}
	return int64(number)
}

func (c *cbor) string(kind byte, max uint64) []byte {
	length := c.expect(kind)
	c.require(length <= max, CodeTooLong)
	return c.take(length)
}

func (c *cbor) bytes(max uint64) []byte { return c.string(cborBytes, max) }

func (c *cbor) text(max uint64) string {
	data := c.string(cborText, max)
	c.require(utf8.Valid(data), CodeBadText)
	return string(data)
}

func (c *cbor) members(kind byte) uint64 {
	n := c.expect(kind)
	c.require(n <= maxMembers, CodeTooMany)
	return n
}

// each reads a map of integer keys, none twice; what member does not know is
// skipped.
func (c *cbor) each(member func(key int64) (known bool)) {
	seen := make(map[int64]bool)
	n := c.members(cborMap)
	for i := uint64(0); i < n && c.ok(); i++ {
		key := c.integer()
		c.require(!seen[key], CodeNotCanonical)
		seen[key] = true
		if c.ok() && !member(key) {
			c.skip(maxCBORDepth)
		}
	}
}

// skip passes over one item.
func (c *cbor) skip(depth int) {
	c.require(depth > 0, CodeTooMany)
	if !c.ok() {
		return
	}
	kind, number := c.head()
	inside := uint64(0)
	switch kind {
	case cborBytes, cborText:
		c.take(number)
	case cborArray, cborMap:
		c.require(number <= maxMembers, CodeTooMany)
		inside = number
		if kind == cborMap {
			inside *= 2
		}
	case cborTag:
		inside = 1
	}
	for i := uint64(0); i < inside && c.ok(); i++ {
		c.skip(depth - 1)
	}
}
