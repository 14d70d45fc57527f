package verify

import "fmt"

//go:generate go run ./internal/gencodes ../../docs/refusals.json codes.go

// Code is the number of a refusal (section 11).
type Code uint16

// rule is a row of the table of refusals.
type rule struct {
	name  string
	never bool
	en    string
	zh    string
}

// Name is the code's name, such as "NotIncluded".
func (c Code) Name() string {
	if r, ok := rules[c]; ok {
		return r.name
	}
	return fmt.Sprintf("Code%d", uint16(c))
}

// Text says in English what broke.
func (c Code) Text() string { return rules[c].en }

// TextZH says in Chinese what broke.
func (c Code) TextZH() string { return rules[c].zh }

// Never says that no later moment makes the same bytes acceptable; otherwise
// time or another message may.
func (c Code) Never() bool { return rules[c].never }

// Refusal is the error of everything this package refuses.
type Refusal struct {
	// Code is the rule that broke first.
	Code Code
	// Of is what was refused: "proof", "trust file" or "expectation".
	Of string
}

// Error gives the number, the name and the plain words of the rule.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s refused: %d %s: %s", r.Of, uint16(r.Code), r.Code.Name(), r.Code.Text())
}

// refused makes an error of a code; the code 0 is none.
func refused(of string, code Code) error {
	if code == 0 {
		return nil
	}
	return &Refusal{Code: code, Of: of}
}
