package main

import (
	"errors"
	"fmt"
	"io"

	verify "zeugma.example/verify"
	"zeugma.example/verify/internal/vectors"
)

// runVectors runs the cases of vector files, of proofs or of bundles.
func runVectors(names []string, stdout, stderr io.Writer) int {
	var c counter
	for _, name := range names {
		var err error
		if bundles, fault := vectors.HoldsBundles(name); fault != nil {
			err = fault
		} else if bundles {
			err = c.bundles(name, stdout)
		} else {
			err = c.proofs(name, stdout)
		}
		if err != nil {
			fmt.Fprintln(stderr, "zeugma-verify:", err)
			return exitUsage
		}
	}
	fmt.Fprintf(stdout, "%d passed, %d failed\n", c.passed, c.failed)
	if c.failed > 0 {
		return exitRefused
	}
	return exitProven
}

// counter counts cases by how they went.
type counter struct{ passed, failed int }

// tell prints how one case went; fault is what else was wrong with the answer.
func (c *counter) tell(out io.Writer, name, wanted, got string, fault error) {
	switch {
	case fault != nil:
		c.failed++
		fmt.Fprintf(out, "FAIL %s: expected %s, got %v\n", name, wanted, fault)
	case wanted != got:
		c.failed++
		fmt.Fprintf(out, "FAIL %s: expected %s, got %s\n", name, wanted, got)
	default:
		c.passed++
		fmt.Fprintln(out, "ok", name)
	}
}

func (c *counter) proofs(name string, out io.Writer) error {
	file, err := vectors.Load(name)
	if err != nil {
		return err
	}
	for i := range file.Cases {
		one := &file.Cases[i]
		got, err := file.Run(one)
		c.tell(out, one.Name, verdict(one.Want()), verdict(got), err)
	}
	return nil
}

func (c *counter) bundles(name string, out io.Writer) error {
	file, err := vectors.LoadBundles(name)
	if err != nil {
		return err
	}
	for i := range file.Cases {
		one := &file.Cases[i]
		report, got, err := file.Judge(one)
		if err == nil && report != nil && one.Report != nil && fmt.Sprintf("%x", report.Bytes()) != *one.Report {
			err = errors.New("another report")
		}
		c.tell(out, one.Name, verdict(one.Want()), verdict(got), err)
	}
	return nil
}

// verdict names an answer.
func verdict(code verify.Code) string {
	if code == 0 {
		return "proven"
	}
	return fmt.Sprintf("%d %s", uint16(code), code.Name())
}
