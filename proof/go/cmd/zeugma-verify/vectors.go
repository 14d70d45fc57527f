package main

import (
	"fmt"
	"io"

	verify "zeugma.example/verify"
	"zeugma.example/verify/internal/vectors"
)

// runVectors runs the cases of vector files.
func runVectors(names []string, stdout, stderr io.Writer) int {
	passed, failed := 0, 0
	for _, name := range names {
		file, err := vectors.Load(name)
		if err != nil {
			fmt.Fprintln(stderr, "zeugma-verify:", err)
			return exitUsage
		}
		for i := range file.Cases {
			c := &file.Cases[i]
			got, err := file.Run(c)
			switch {
			case err != nil:
				failed++
				fmt.Fprintf(stdout, "FAIL %s: expected %s, got %v\n", c.Name, verdict(c.Want()), err)
			case got != c.Want():
				failed++
				fmt.Fprintf(stdout, "FAIL %s: expected %s, got %s\n", c.Name, verdict(c.Want()), verdict(got))
			default:
				passed++
				fmt.Fprintln(stdout, "ok", c.Name)
			}
		}
	}
	fmt.Fprintf(stdout, "%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return exitRefused
	}
	return exitProven
}

// verdict names an answer.
func verdict(code verify.Code) string {
	if code == 0 {
		return "proven"
	}
	return fmt.Sprintf("%d %s", uint16(code), code.Name())
}
