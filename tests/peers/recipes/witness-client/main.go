// Command witness-client speaks to a C2SP tlog-witness with the client of the transparency-dev project, and verifies
// cosigned checkpoints with its note formats. What is written here is how they are called.
//
//	witness-client update URL OLD CHECKPOINT   asks to cosign the note in the file CHECKPOINT; the consistency proof comes on
//	                                           standard input, a hash a line; says `cosigned` and the lines, or why not
//	witness-client verify CHECKPOINT VKEY...   opens the note in the file with every key, each of which must have signed it;
//	                                           says the text
package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	client "github.com/transparency-dev/witness/client/http"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "witness-client:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 4 && args[0] == "update":
		return update(args[1], args[2], args[3])
	case len(args) >= 3 && args[0] == "verify":
		return verify(args[1], args[2:])
	}
	return errors.New("usage: witness-client update URL OLD CHECKPOINT | verify CHECKPOINT VKEY...")
}

func update(at, old, file string) error {
	root, err := url.Parse(at)
	if err != nil {
		return err
	}
	size, err := strconv.ParseUint(old, 10, 64)
	if err != nil {
		return err
	}
	checkpoint, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var proof [][]byte
	for _, line := range strings.Fields(string(lines)) {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	signatures, known, err := client.NewWitness(root, http.DefaultClient).Update(context.Background(), size, checkpoint, proof)
	switch {
	case err == nil:
		fmt.Printf("cosigned\n%s", signatures)
	case errors.Is(err, witness.ErrCheckpointStale):
		fmt.Printf("stale %d\n", known)
	case errors.Is(err, witness.ErrRootMismatch):
		fmt.Println("root mismatch")
	case errors.Is(err, witness.ErrUnknownLog):
		fmt.Println("unknown log")
	case errors.Is(err, witness.ErrNoValidSignature):
		fmt.Println("no valid signature")
	case errors.Is(err, witness.ErrOldSizeInvalid):
		fmt.Println("old size invalid")
	case errors.Is(err, witness.ErrInvalidProof):
		fmt.Println("invalid proof")
	default:
		return err
	}
	return nil
}

func verify(file string, keys []string) error {
	checkpoint, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	verifiers := make([]note.Verifier, 0, len(keys))
	for _, key := range keys {
		verifier, err := verifierOf(key)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(checkpoint, note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != len(keys) {
		return fmt.Errorf("%d of %d keys signed", len(opened.Sigs), len(keys))
	}
	fmt.Print(opened.Text)
	return nil
}

// verifierOf picks the verifier by the type of the key, the first byte of its material.
func verifierOf(key string) (note.Verifier, error) {
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a key")
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) == 0 {
		return nil, errors.New("not a key")
	}
	switch material[0] {
	case 4:
		return fnote.NewVerifierForCosignatureV1(key)
	case 6:
		return fnote.NewMLDSAVerifier(key)
	}
	return note.NewVerifier(key)
}
