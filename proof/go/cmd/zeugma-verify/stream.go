package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	verify "zeugma.example/verify"
	"zeugma.example/verify/internal/vectors"
)

// streamLine is one input of the stream: a question about a proof or, where it
// has a bundle, about that.
type streamLine struct {
	vectors.Question
	Trust  string  `json:"trust"`
	Policy string  `json:"policy"`
	Bundle *string `json:"bundle"`
	SHA256 *string `json:"sha256"`
	SM3    *string `json:"sm3"`
}

// parsedTrust is a trust file that was read once, or why it was refused.
type parsedTrust struct {
	trust *verify.Trust
	code  verify.Code
}

// maxCached bounds the trust files that are kept; past it all are forgotten.
const maxCached = 64

// streamer answers lines and keeps the trust files that it has parsed, by
// their bytes in hexadecimal.
type streamer struct {
	cache map[string]parsedTrust
}

// runStream reads JSON lines and prints one line for each: 0 or the code of
// the refusal, and of a bundle's report its bytes in hexadecimal after the 0. For a line that is no question it prints -1, says why on
// stderr, and ends with the exit code of wrong usage.
func runStream(stdin io.Reader, stdout, stderr io.Writer) int {
	in := bufio.NewReaderSize(stdin, 1<<16)
	out := bufio.NewWriter(stdout)
	defer out.Flush()
	s := streamer{cache: make(map[string]parsedTrust)}
	exit := exitProven
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			fmt.Fprintln(stderr, "zeugma-verify:", err)
			return exitUsage
		}
		last := err != nil
		if last && len(line) == 0 {
			return exit
		}
		if text, err := s.answer(line); err != nil {
			fmt.Fprintf(stderr, "line %d: %v\n", number, err)
			fmt.Fprintln(out, -1)
			exit = exitUsage
		} else {
			fmt.Fprintln(out, text)
		}
		// Whoever asks one question at a time gets the answer at once.
		if in.Buffered() == 0 {
			out.Flush()
		}
		if last {
			return exit
		}
	}
}

func (s *streamer) answer(line []byte) (string, error) {
	var asked streamLine
	if err := json.Unmarshal(line, &asked); err != nil {
		return "", err
	}
	if asked.Bundle != nil {
		return asked.judge()
	}
	parsed, err := s.parse(asked.Trust)
	code := parsed.code
	if err == nil && code == 0 {
		code, err = asked.Ask(parsed.trust)
	}
	return fmt.Sprint(uint16(code)), err
}

// judge asks about a bundle.
func (l *streamLine) judge() (string, error) {
	var subject verify.Subject
	var err error
	if subject.SHA256, err = digest(l.SHA256); err != nil {
		return "", err
	}
	if subject.SM3, err = digest(l.SM3); err != nil {
		return "", err
	}
	report, code, err := vectors.JudgeBundle(*l.Bundle, l.Trust, l.Policy, subject, l.Time)
	if err != nil || code != 0 {
		return fmt.Sprint(uint16(code)), err
	}
	return fmt.Sprintf("0 %x", report.Bytes()), nil
}

// digest reads one in hexadecimal; nil is none.
func digest(text *string) (*verify.Hash, error) {
	if text == nil {
		return nil, nil
	}
	data, err := hex.DecodeString(*text)
	if err != nil || len(data) != 32 {
		return nil, errors.New("a digest is 32 bytes in hexadecimal")
	}
	hash := verify.Hash(data)
	return &hash, nil
}

func (s *streamer) parse(text string) (parsedTrust, error) {
	if parsed, ok := s.cache[text]; ok {
		return parsed, nil
	}
	data, err := hex.DecodeString(text)
	if err != nil {
		return parsedTrust{}, fmt.Errorf("trust: %w", err)
	}
	trust, err := verify.ParseTrust(data)
	code, err := vectors.CodeOf(err)
	if err != nil {
		return parsedTrust{}, err
	}
	if len(s.cache) >= maxCached {
		clear(s.cache)
	}
	parsed := parsedTrust{trust, code}
	s.cache[text] = parsed
	return parsed, nil
}
