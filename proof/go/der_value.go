package verify

import (
	"bytes"
	"fmt"
	"strings"
)

// oid is an object identifier, as its encoded arcs.
type oid string

// maxOID is the longest identifier, in bytes.
const maxOID = 64

// oid reads an OBJECT IDENTIFIER: its arcs have no zero in front, end, and have
// at most nine bytes.
func (d *der) oid() oid { return d.oidOf(d.expect(tagOID).body) }

func (d *der) oidOf(body []byte) oid {
	d.require(len(body) <= maxOID, CodeTooLong)
	if !d.ok() {
		return ""
	}
	good, length := len(body) > 0, 0
	for _, b := range body {
		good = good && (length > 0 || b != 0x80) && length < 9
		length++
		if b < 0x80 {
			length = 0
		}
	}
	d.require(good && length == 0, CodeNotCanonical)
	return oid(body)
}

// String is the dotted form.
func (o oid) String() string {
	var out strings.Builder
	number, first := uint64(0), true
	for i := range len(o) {
		number = number<<7 | uint64(o[i]&0x7f)
		if o[i] >= 0x80 {
			continue
		}
		if first {
			root := min(number/40, 2)
			fmt.Fprintf(&out, "%d.%d", root, number-40*root)
		} else {
			fmt.Fprintf(&out, ".%d", number)
		}
		number, first = 0, false
	}
	return out.String()
}

// time reads a UTCTime or a GeneralizedTime, in milliseconds since 1970; an
// earlier one is 0.
func (d *der) time() uint64 {
	v := d.any()
	if !d.ok() {
		return 0
	}
	var at uint64
	good := false
	switch v.tag {
	case tagUTCTime:
		at, good = utcTime(v.body)
	case tagGeneralizedTime:
		at, good = generalizedTime(v.body)
	default:
		d.refuse(CodeUnknownTag)
	}
	d.require(good, CodeOutOfRange)
	return at
}

// decimals reads digits as a number.
func decimals(text []byte) (n uint64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, len(text) > 0
}

// utcTime reads YYMMDDhhmmssZ; a year below 50 is of this century.
func utcTime(text []byte) (uint64, bool) {
	if len(text) != 13 || text[12] != 'Z' {
		return 0, false
	}
	year, ok := decimals(text[:2])
	if !ok {
		return 0, false
	}
	if year >= 50 {
		year += 1900
	} else {
		year += 2000
	}
	return instant(year, text[2:12], 0)
}

// generalizedTime reads YYYYMMDDhhmmss[.f]Z; a fraction has one to nine digits, the
// last not zero, and counts down to the millisecond.
func generalizedTime(text []byte) (uint64, bool) {
	if len(text) == 0 || text[len(text)-1] != 'Z' {
		return 0, false
	}
	digits, fraction, dotted := bytes.Cut(text[:len(text)-1], []byte("."))
	millis := uint64(0)
	if dotted {
		if _, ok := decimals(fraction); !ok || len(fraction) > 9 || fraction[len(fraction)-1] == '0' {
			return 0, false
		}
		millis, _ = decimals(append(append([]byte(nil), fraction...), "00"...)[:3])
	}
	if len(digits) != 14 {
		return 0, false
	}
	year, ok := decimals(digits[:4])
	if !ok {
		return 0, false
	}
	return instant(year, digits[4:], millis)
}

// instant takes month, day, hour, minute and second as ten digits.
func instant(year uint64, rest []byte, millis uint64) (uint64, bool) {
	var field [5]uint64
	for i := range field {
		n, ok := decimals(rest[2*i : 2*i+2])
		if !ok {
			return 0, false
		}
		field[i] = n
	}
	month, day := field[0], field[1]
	if month < 1 || month > 12 || day < 1 || day > daysOf(year, month) ||
		field[2] > 23 || field[3] > 59 || field[4] > 59 {
		return 0, false
	}
	if year < 1970 {
		return 0, true
	}
	days := day - 1
	for y := uint64(1970); y < year; y++ {
		days += 337 + daysOf(y, 2)
	}
	for m := uint64(1); m < month; m++ {
		days += daysOf(year, m)
	}
	return (((days*24+field[2])*60+field[3])*60+field[4])*1000 + millis, true
}

func daysOf(year, month uint64) uint64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
