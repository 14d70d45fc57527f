package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	verify "zeugma.example/verify"
)

// bundleFiles names what a bundle is judged by.
type bundleFiles struct {
	trust, policy, bundle string
	// file is presented against the bundle; empty for none.
	file string
	at   uint64
}

// forms are the ways to print a report.
var forms = map[string]func(*verify.Report) string{
	"en":   func(r *verify.Report) string { return r.Words(verify.English) },
	"zh":   func(r *verify.Report) string { return r.Words(verify.Chinese) },
	"json": func(r *verify.Report) string { return r.JSON() + "\n" },
}

// runBundle judges one evidence bundle and prints its report.
func runBundle(files bundleFiles, form string, stdout, stderr io.Writer) int {
	show, known := forms[form]
	if !known {
		fmt.Fprintln(stderr, "zeugma-verify: --form is en, zh or json")
		return exitUsage
	}
	report, err := files.judge()
	var refusal *verify.Refusal
	switch {
	case errors.As(err, &refusal):
		fmt.Fprintln(stderr, err)
		return exitRefused
	case err != nil:
		fmt.Fprintln(stderr, "zeugma-verify:", err)
		return exitUsage
	}
	fmt.Fprint(stdout, show(report))
	if report.Integrity == verify.IntegrityRefuted {
		return exitRefused
	}
	return exitProven
}

func (f *bundleFiles) judge() (*verify.Report, error) {
	var parts [3][]byte
	for i, name := range []string{f.trust, f.policy, f.bundle} {
		data, err := readFile(name)
		if err != nil {
			return nil, err
		}
		parts[i] = data
	}
	var subject verify.Subject
	if f.file != "" {
		var err error
		if subject, err = digestFile(f.file); err != nil {
			return nil, err
		}
	}
	trust, err := verify.ParseTrust(parts[0])
	if err != nil {
		return nil, err
	}
	policy, err := verify.ParsePolicy(parts[1])
	if err != nil {
		return nil, err
	}
	return verify.VerifyBundle(parts[2], subject, trust, policy, f.at)
}

// digestFile gives the digests of a file of any length.
func digestFile(name string) (verify.Subject, error) {
	file, err := os.Open(name)
	if err != nil {
		return verify.Subject{}, err
	}
	defer file.Close()
	return verify.ReadSubject(file)
}
