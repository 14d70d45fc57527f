// Command zeugma-verify checks a proof file against a trust file, or an
// evidence bundle against a trust file and a policy.
//
//	zeugma-verify --trust FILE --time MS [--reliance court|destination] PROOF
//	zeugma-verify --trust FILE --policy FILE --time MS [--file FILE] [--form en|zh|json] BUNDLE
//	zeugma-verify --vectors FILE...
//	zeugma-verify --stream
//
// It ends with 0 when the proof is proven or the bundle has a report (all
// vectors pass, the stream was read), 1 when it is refused or the file
// presented is another one (a vector fails), and 2 when it was called or fed
// wrongly.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	verify "zeugma.example/verify"
)

// Exit codes.
const (
	exitProven  = 0
	exitRefused = 1
	exitUsage   = 2
)

const usage = `usage: zeugma-verify --trust FILE --time MS [--reliance court|destination] PROOF
       zeugma-verify --trust FILE --policy FILE --time MS [--file FILE] [--form en|zh|json] BUNDLE
       zeugma-verify --vectors FILE...
       zeugma-verify --stream

--time is in milliseconds since 1970-01-01T00:00:00Z; --reliance is court
unless it is given.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("zeugma-verify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	trust := flags.String("trust", "", "")
	at := flags.Uint64("time", 0, "")
	reliance := flags.String("reliance", "court", "")
	vectors := flags.Bool("vectors", false, "")
	stream := flags.Bool("stream", false, "")
	policy := flags.String("policy", "", "")
	file := flags.String("file", "", "")
	form := flags.String("form", "en", "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitProven
		}
		return exitUsage
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	switch {
	case *vectors && len(given) == 1 && flags.NArg() > 0:
		return runVectors(flags.Args(), stdout, stderr)
	case *stream && len(given) == 1 && flags.NArg() == 0:
		return runStream(stdin, stdout, stderr)
	case !given["trust"] || !given["time"] || *vectors || *stream || flags.NArg() != 1:
	case given["policy"] && !given["reliance"]:
		return runBundle(bundleFiles{*trust, *policy, flags.Arg(0), *file, *at}, *form, stdout, stderr)
	case !given["policy"] && !given["file"] && !given["form"]:
		if who, ok := verify.ParseReliance(*reliance); ok {
			return runProof(*trust, *at, who, flags.Arg(0), stdout, stderr)
		}
	}
	flags.Usage()
	return exitUsage
}

// runProof checks one proof file.
func runProof(trustName string, at uint64, reliance verify.Reliance, proofName string, stdout, stderr io.Writer) int {
	trust, err := readFile(trustName)
	if err == nil {
		var proof []byte
		if proof, err = readFile(proofName); err == nil {
			return answer(proof, trust, at, reliance, stdout, stderr)
		}
	}
	fmt.Fprintln(stderr, "zeugma-verify:", err)
	return exitUsage
}

// readFile reads a file as far as any bound of the format goes: a longer one
// is read in part, and refused as TooLong.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, 32<<20+1))
}

func answer(proof, trust []byte, at uint64, reliance verify.Reliance, stdout, stderr io.Writer) int {
	proven, err := verify.Verify(proof, trust, at, reliance, verify.Expected{})
	if err == nil {
		report(stdout, proven)
		return exitProven
	}
	fmt.Fprintln(stderr, err)
	var refusal *verify.Refusal
	if errors.As(err, &refusal) && !refusal.Code.Never() {
		fmt.Fprintln(stderr, "time or another message may make it acceptable")
	}
	return exitRefused
}
