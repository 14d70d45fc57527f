package verify

import "encoding/binary"

//go:generate go run ./internal/genwords ../../docs/byte-layout.md words.go

// Word is a sentence of a report (section 13, "Report").
type Word uint16

// sentence is a row of the table of words.
type sentence struct{ name, en, zh string }

// Name is the word's name, such as "FileMatches".
func (w Word) Name() string { return sentences[w].name }

// Integrity says whether the content is unchanged since it was logged.
type Integrity uint8

// The grades of integrity.
const (
	IntegrityProven       Integrity = 1
	IntegrityRefuted      Integrity = 2
	IntegrityUndetermined Integrity = 3
)

// Authenticity says what speaks for the content before it was logged.
type Authenticity uint8

// The grades of authenticity.
const (
	AuthenticitySupported   Authenticity = 1
	AuthenticityContested   Authenticity = 2
	AuthenticityUnsupported Authenticity = 3
)

// Moment is a time with whose word it is.
type Moment struct {
	// At is in milliseconds.
	At uint64
	// Accuracy is in microseconds; nil where none is stated.
	Accuracy *uint64
	By       string
}

// Line is a sentence with what it is about.
type Line struct {
	Word   Word
	By     string
	At     *uint64
	Detail string
	// Code is 0 where no rule broke.
	Code Code
}

// Report is what a bundle shows. Only VerifyBundle makes it.
type Report struct {
	Bundle, Trust, Policy Hash
	Time                  uint64
	Integrity             Integrity
	Authenticity          Authenticity
	Received              *Moment
	Logged, Anchored      []Moment
	Shown, NotShown       []Line
}

func appendCount(to []byte, n int) []byte { return binary.BigEndian.AppendUint32(to, uint32(n)) }

func appendOption(to []byte, n *uint64) []byte {
	if n == nil {
		return append(to, 0)
	}
	return append(append(to, 1), be64(*n)...)
}

func (m *Moment) append(to []byte) []byte {
	to = appendOption(append(to, be64(m.At)...), m.Accuracy)
	return appendBytes(to, []byte(m.By))
}

func (l *Line) append(to []byte) []byte {
	to = binary.BigEndian.AppendUint16(to, uint16(l.Word))
	to = appendBytes(to, []byte(l.By))
	to = appendOption(to, l.At)
	to = appendBytes(to, []byte(l.Detail))
	if l.Code == 0 {
		return append(to, 0)
	}
	return binary.BigEndian.AppendUint16(append(to, 1), uint16(l.Code))
}

// Bytes is the canonical encoding.
func (r *Report) Bytes() []byte {
	out := []byte("ZGREPRT1")
	for _, digest := range []Hash{r.Bundle, r.Trust, r.Policy} {
		out = append(out, digest[:]...)
	}
	out = append(out, be64(r.Time)...)
	out = append(out, byte(r.Integrity), byte(r.Authenticity))
	if r.Received == nil {
		out = append(out, 0)
	} else {
		out = r.Received.append(append(out, 1))
	}
	for _, list := range [][]Moment{r.Logged, r.Anchored} {
		out = appendCount(out, len(list))
		for i := range list {
			out = list[i].append(out)
		}
	}
	for _, list := range [][]Line{r.Shown, r.NotShown} {
		out = appendCount(out, len(list))
		for i := range list {
			out = list[i].append(out)
		}
	}
	return out
}
