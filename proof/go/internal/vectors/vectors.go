// Package vectors reads vector files (section 9 of the byte layout) and runs
// their cases.
package vectors

import (
	"encoding/hex"
	"errors"
	"fmt"

	verify "zeugma.example/verify"
)

// Question is what a verifier is asked, in the words of a vector file.
type Question struct {
	Time     uint64  `json:"time"`
	Reliance string  `json:"reliance"`
	Path     *string `json:"path"`
	Value    *string `json:"value"`
	Proof    string  `json:"proof"`
}

// Case is one case of a vector file.
type Case struct {
	Question
	Name  string       `json:"name"`
	Trust string       `json:"trust"`
	Code  *verify.Code `json:"code"`
}

// File is a vector file; TrustFiles holds the bytes of each in hexadecimal.
type File struct {
	TrustFiles map[string]string `json:"trust_files"`
	Cases      []Case            `json:"cases"`
}

// Load reads a vector file.
func Load(name string) (*File, error) {
	f := new(File)
	return f, load(name, f)
}

// Want is the code that the case expects, 0 for an accepted proof.
func (c *Case) Want() verify.Code {
	if c.Code == nil {
		return 0
	}
	return *c.Code
}

// TrustBytes gives the bytes of the trust file that a case names.
func (f *File) TrustBytes(c *Case) ([]byte, error) {
	text, ok := f.TrustFiles[c.Trust]
	if !ok {
		return nil, fmt.Errorf("no trust file %q", c.Trust)
	}
	return hex.DecodeString(text)
}

// Run gives the code that the verifier answers, 0 for an accepted proof. An
// error says that the case could not be read.
func (f *File) Run(c *Case) (verify.Code, error) {
	data, err := f.TrustBytes(c)
	if err != nil {
		return 0, err
	}
	trust, err := verify.ParseTrust(data)
	if err != nil {
		return CodeOf(err)
	}
	return c.Ask(trust)
}

// Ask puts the question to a verifier with a trust file; the answer is as of
// Run.
func (q *Question) Ask(trust *verify.Trust) (verify.Code, error) {
	proof, err := hex.DecodeString(q.Proof)
	if err != nil {
		return 0, fmt.Errorf("proof: %w", err)
	}
	reliance, ok := verify.ParseReliance(q.Reliance)
	if !ok {
		return 0, fmt.Errorf("unknown reliance %q", q.Reliance)
	}
	expected, err := q.expected()
	if err != nil {
		return 0, err
	}
	_, err = trust.Verify(proof, q.Time, reliance, expected)
	return CodeOf(err)
}

func (q *Question) expected() (e verify.Expected, err error) {
	if q.Path != nil {
		data, err := hex.DecodeString(*q.Path)
		if err != nil {
			return e, fmt.Errorf("path: %w", err)
		}
		path, err := verify.ParsePath(data)
		if err != nil {
			return e, fmt.Errorf("path: %w", err)
		}
		e.Path = &path
	}
	if q.Value != nil {
		data, err := hex.DecodeString(*q.Value)
		if err != nil {
			return e, fmt.Errorf("value: %w", err)
		}
		value := new(verify.Hash)
		if len(data) != len(value) {
			return e, errors.New("value: not 32 bytes")
		}
		copy(value[:], data)
		e.Value = value
	}
	return e, nil
}

// CodeOf gives the code of a refusal, 0 of no error, and any other error as
// it is.
func CodeOf(err error) (verify.Code, error) {
	var refusal *verify.Refusal
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &refusal):
		return refusal.Code, nil
	}
	return 0, err
}
