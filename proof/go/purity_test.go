package verify_test

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed is what the package may import of the standard library: nothing that
// reads a clock, a file, the network, the environment or a locale.
var allowed = []string{
	"bytes", "cmp", "crypto/ecdsa", "crypto/ed25519", "crypto/elliptic", "crypto/sha256", "crypto/sha512",
	"encoding/base64", "encoding/binary", "encoding/hex", "fmt", "hash", "io", "math", "math/big", "math/bits",
	"slices", "strconv", "strings", "unicode", "unicode/utf8",
}

// The answer follows from the arguments alone.
func TestPurity(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range files {
		name := file.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		read++
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range parsed.Imports {
			path, err := strconv.Unquote(one.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			standard := !strings.Contains(strings.Split(path, "/")[0], ".")
			if standard && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
	if read < 20 {
		t.Errorf("%d files were read", read)
	}
}
