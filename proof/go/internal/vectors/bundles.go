package vectors

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	verify "zeugma.example/verify"
)

// BundleCase is one case of a file of bundle vectors (section 13).
type BundleCase struct {
	Name   string       `json:"name"`
	Bundle string       `json:"bundle"`
	File   *string      `json:"file"`
	Trust  string       `json:"trust"`
	Policy string       `json:"policy"`
	Time   uint64       `json:"time"`
	Code   *verify.Code `json:"code"`
	// What the report is, where there is one.
	Report *string `json:"report"`
	JSON   any     `json:"json"`
	EN     *string `json:"en"`
	ZH     *string `json:"zh"`
}

// BundleFile is a file of bundle vectors; Parts holds trust files and policies
// in hexadecimal.
type BundleFile struct {
	Parts map[string]string `json:"parts"`
	Cases []BundleCase      `json:"cases"`
}

// LoadBundles reads a file of bundle vectors.
func LoadBundles(name string) (*BundleFile, error) {
	f := new(BundleFile)
	return f, load(name, f)
}

// HoldsBundles says whether a file of vectors is of bundles.
func HoldsBundles(name string) (bool, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	_, parts := members["parts"]
	return parts, nil
}

// load reads one JSON object into a value that has all its members.
func load(name string, into any) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("%s: something follows the object", name)
	}
	return nil
}

// alterations is a file of bundles altered field by field.
type alterations struct {
	Trust  string            `json:"trust"`
	Policy string            `json:"policy"`
	File   *string           `json:"file"`
	Time   uint64            `json:"time"`
	Bases  map[string]string `json:"bases"`
	Cases  []struct {
		Name   string             `json:"name"`
		Base   string             `json:"base"`
		Splice [3]json.RawMessage `json:"splice"`
		Seal   string             `json:"seal"`
		Code   *verify.Code       `json:"code"`
		Report *string            `json:"report"`
	} `json:"cases"`
}

// LoadAlterations reads a file of bundles altered field by field, each as a case
// of its own.
func LoadAlterations(name string) (*BundleFile, error) {
	var from alterations
	if err := load(name, &from); err != nil {
		return nil, err
	}
	f := &BundleFile{Parts: map[string]string{"trust": from.Trust, "policy": from.Policy}}
	for _, one := range from.Cases {
		var at, out int
		var with string
		for i, into := range []any{&at, &out, &with} {
			if err := json.Unmarshal(one.Splice[i], into); err != nil {
				return nil, fmt.Errorf("%s: %w", one.Name, err)
			}
		}
		// Two digits a byte; the seal is the last 64 bytes.
		base := from.Bases[one.Base]
		end := len(base) - 128
		if at < 0 || out < 0 || 2*(at+out) > end {
			return nil, fmt.Errorf("%s: a splice outside its base", one.Name)
		}
		bundle := base[:2*at] + with + base[2*(at+out):end] + one.Seal
		f.Cases = append(f.Cases, BundleCase{
			Name: one.Name, Bundle: bundle, File: from.File, Trust: "trust", Policy: "policy",
			Time: from.Time, Code: one.Code, Report: one.Report,
		})
	}
	return f, nil
}

// Want is the code that the case expects, 0 for a report.
func (c *BundleCase) Want() verify.Code {
	if c.Code == nil {
		return 0
	}
	return *c.Code
}

// Judge asks the question of a case.
func (f *BundleFile) Judge(c *BundleCase) (*verify.Report, verify.Code, error) {
	var subject verify.Subject
	if c.File != nil {
		file, err := hex.DecodeString(*c.File)
		if err != nil {
			return nil, 0, fmt.Errorf("file: %w", err)
		}
		subject = verify.SubjectOf(file)
	}
	return JudgeBundle(c.Bundle, f.Parts[c.Trust], f.Parts[c.Policy], subject, c.Time)
}

// JudgeBundle judges what is written in hexadecimal: the trust file is read
// first, then the policy, then the bundle.
func JudgeBundle(bundle, trust, policy string, subject verify.Subject, at uint64) (*verify.Report, verify.Code, error) {
	var parts [3][]byte
	for i, text := range []string{trust, policy, bundle} {
		data, err := hex.DecodeString(text)
		if err != nil {
			return nil, 0, err
		}
		parts[i] = data
	}
	report, err := judge(parts, subject, at)
	code, err := CodeOf(err)
	return report, code, err
}

func judge(parts [3][]byte, subject verify.Subject, at uint64) (*verify.Report, error) {
	trust, err := verify.ParseTrust(parts[0])
	if err != nil {
		return nil, err
	}
	policy, err := verify.ParsePolicy(parts[1])
	if err != nil {
		return nil, err
	}
	return verify.VerifyBundle(parts[2], subject, trust, policy, at)
}
