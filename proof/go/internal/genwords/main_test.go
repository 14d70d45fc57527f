package main

import (
	"bytes"
	"os"
	"testing"
)

// The generated file is that of the page.
func TestGenerated(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/byte-layout.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(string(page))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../words.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("words.go is not that of the page: go generate ./...")
	}
}

// A table that lost its form is told.
func TestRefused(t *testing.T) {
	head := start + "| word | name | English | 中文 |\n|---|---|---|---|\n"
	for name, page := range map[string]string{
		"no table":     "a page",
		"no end":       head + "| 1 | A | a | b |\n",
		"no rows":      head + end,
		"out of order": head + "| 2 | A | a | b |\n| 1 | B | c | d |\n" + end,
		"a cell short": head + "| 1 | A | a |\n" + end,
		"no name":      head + "| 1 | a b | a | b |\n" + end,
	} {
		if _, err := generate(page); err == nil {
			t.Error(name)
		}
	}
}
