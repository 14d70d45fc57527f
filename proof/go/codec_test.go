package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"regexp"
	"testing"
)

func TestVarint(t *testing.T) {
	for _, c := range []struct {
		n    uint64
		want []byte
	}{
		{0, []byte{0}},
		{1, []byte{1}},
		{58, []byte{58}},
		{127, []byte{0x7f}},
		{128, []byte{0x80, 0x01}},
		{300, []byte{0xac, 0x02}},
		{16383, []byte{0xff, 0x7f}},
		{16384, []byte{0x80, 0x80, 0x01}},
		{math.MaxUint64, []byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1}},
	} {
		if got := appendVarint(nil, c.n); !bytes.Equal(got, c.want) {
			t.Errorf("%d: % x, want % x", c.n, got, c.want)
		}
	}
	for shift := range 64 {
		for _, n := range []uint64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			if got, want := appendVarint(nil, n), binary.AppendUvarint(nil, n); !bytes.Equal(got, want) {
				t.Errorf("%d: % x, want % x", n, got, want)
			}
		}
	}
}

func TestReader(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		read func(*reader)
		want Code
	}{
		"u8":                  {"\x01", func(r *reader) { r.u8() }, 0},
		"u16 cut":             {"\x01", func(r *reader) { r.u16() }, CodeTruncated},
		"left over":           {"\x01\x02", func(r *reader) { r.u8() }, CodeTrailingBytes},
		"bytes":               {"\x00\x00\x00\x02ab", func(r *reader) { r.bytes(2) }, 0},
		"bytes cut":           {"\x00\x00\x00\x02a", func(r *reader) { r.bytes(2) }, CodeTruncated},
		"length cut":          {"\x00\x00\x00", func(r *reader) { r.bytes(2) }, CodeTruncated},
		"too long before cut": {"\xff\xff\xff\xff", func(r *reader) { r.bytes(math.MaxUint32 - 1) }, CodeTooLong},
		"large and cut":       {"\xff\xff\xff\xff", func(r *reader) { r.bytes(math.MaxUint32) }, CodeTruncated},
		"text":                {"\x00\x00\x00\x03\xe2\x82\xac", func(r *reader) { r.text(3) }, 0},
		"text cut":            {"\x00\x00\x00\x03\xe2\x82", func(r *reader) { r.text(3) }, CodeTruncated},
		"not text":            {"\x00\x00\x00\x02\xc0\x80", func(r *reader) { r.text(3) }, CodeBadText},
		"a surrogate":         {"\x00\x00\x00\x03\xed\xa0\x80", func(r *reader) { r.text(3) }, CodeBadText},
		"none":                {"\x00", func(r *reader) { r.some() }, 0},
		"some":                {"\x01", func(r *reader) { r.some() }, 0},
		"neither":             {"\x02", func(r *reader) { r.some() }, CodeUnknownTag},
		"list":                {"\x00\x00\x00\x00", func(r *reader) { r.hashes(0) }, 0},
		"too many before cut": {"\x00\x00\x00\x02", func(r *reader) { r.hashes(1) }, CodeTooMany},
		"items cut":           {"\x00\x00\x00\x01abc", func(r *reader) { r.hashes(1) }, CodeTruncated},
		"first rule counts":   {"\x02\x00", func(r *reader) { r.some(); r.u64() }, CodeUnknownTag},
		"nothing":             {"", func(*reader) {}, 0},
	} {
		r := newReader([]byte(c.data))
		c.read(r)
		r.end()
		if r.code != c.want {
			t.Errorf("%s: %d, want %d", name, r.code, c.want)
		}
	}
}

// No frame of section 2 is the beginning of another.
func TestPurposes(t *testing.T) {
	all := []purpose{purposeHeader, purposeSeal, purposeTrustFile}
	for _, p := range bodyPurposes {
		all = append(all, p)
	}
	seen := make(map[string]bool)
	for _, p := range all {
		if seen[string(p)] || len(p) > 255 {
			t.Errorf("%s", p)
		}
		seen[string(p)] = true
	}
}

func TestQuorum(t *testing.T) {
	for _, c := range []struct{ n, least int }{{1, 1}, {2, 2}, {3, 3}, {4, 3}, {5, 4}, {6, 5}, {7, 5}, {10, 7}, {128, 86}} {
		for k := 0; k <= c.n; k++ {
			if quorum(c.n, k) != (k >= c.least) {
				t.Errorf("%d of %d", k, c.n)
			}
		}
	}
}

// The domains and frames are those of the table of section 2.
func TestPurposeTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/byte-layout.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| (\\w+) \\| `(zeugma[^`]+)` \\| `([0-9a-f]+)` \\|$")
	table := make(map[string]string)
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		if want := fmt.Sprintf("%02x%x", len(m[2]), m[2]); m[3] != want {
			t.Errorf("%s: the page's frame is %s, not %s", m[1], m[3], want)
		}
		table[m[1]] = m[2]
	}
	for name, p := range map[string]purpose{
		"Certificate": finalizeNamespace,
		"Header":      purposeHeader,
		"Seal":        purposeSeal,
		"TrustFile":   purposeTrustFile,
		"Handover":    purposeHandover,
		"Standing":    purposeStanding,
		"Closed":      purposeClosed,
		"Retraction":  purposeRetraction,
		"Anchor":      purposeAnchor,
		"SplitView":   purposeSplitView,
		"ClientEvent": purposeClientEvent,
		"Registry":    purposeRegistry,
	} {
		if table[name] != string(p) {
			t.Errorf("%s: %q, the page has %q", name, p, table[name])
		}
	}
}
