package main

import (
	"bytes"
	"os"
	"testing"
)

// codes.go is what the generator makes of the table as it is now.
func TestCodesAreCurrent(t *testing.T) {
	table, err := os.ReadFile("../../../../docs/refusals.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(table)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../codes.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("codes.go is not current: run go generate")
	}
}

func TestTableIsChecked(t *testing.T) {
	for name, table := range map[string]string{
		"descending": `[{"number":2,"name":"A","permanence":"never","en":"a","zh":"a"},
			{"number":1,"name":"B","permanence":"never","en":"b","zh":"b"}]`,
		"repeated name": `[{"number":1,"name":"A","permanence":"never","en":"a","zh":"a"},
			{"number":2,"name":"A","permanence":"never","en":"b","zh":"b"}]`,
		"name":       `[{"number":1,"name":"a b","permanence":"never","en":"a","zh":"a"}]`,
		"permanence": `[{"number":1,"name":"A","permanence":"perhaps","en":"a","zh":"a"}]`,
		"field":      `[{"number":1,"name":"A","permanence":"never","en":"a","zh":"a","more":1}]`,
		"text":       `[{"number":1,"name":"A","permanence":"never","en":"","zh":"a"}]`,
		"trailing":   `[] []`,
	} {
		if _, err := generate([]byte(table)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
