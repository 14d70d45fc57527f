package verify

const (
	policyMagic     = "ZGPOLIC1"
	maxPolicyLength = 1 << 20
)

// PolicyWitness is who may cosign.
type PolicyWitness struct{ Institution, Key string }

// PolicyAuthority is whose time-stamps count, under which policies; none: under
// any.
type PolicyAuthority struct {
	Institution string
	Anchor      []byte
	Policies    []string
}

// Policy says whose word counts, and how many of them it takes (section 13).
type Policy struct {
	Origin, Operator    string
	LogKeys, SecondKeys []string
	// ServiceKey is nil where none is named.
	ServiceKey         *Hash
	Witnesses          []PolicyWitness
	Authorities        []PolicyAuthority
	WitnessesNeeded    uint16
	AuthoritiesNeeded  uint16
	InstitutionsNeeded uint16
	NetworkRequired    bool
	// Digest is what a report names.
	Digest Hash
}

// ParsePolicy decodes a policy. Its keys are read when a bundle is judged.
func ParsePolicy(data []byte) (*Policy, error) {
	if len(data) > maxPolicyLength {
		return nil, refused("policy", CodeTooLong)
	}
	r := newReader(data)
	p := r.policy()
	r.end()
	if !r.ok() {
		return nil, refused("policy", r.code)
	}
	p.Digest = SHA256.framed(purposePolicy, data)
	return p, nil
}

func (r *reader) policy() *Policy {
	p := new(Policy)
	r.magic(policyMagic)
	p.Origin, p.Operator = r.text(255), r.text(64)
	p.LogKeys, p.SecondKeys = r.texts(4096), r.texts(4096)
	p.ServiceKey = r.maybeHash()
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		p.Witnesses = append(p.Witnesses, PolicyWitness{Institution: r.text(64), Key: r.text(4096)})
	}
	n = r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		p.Authorities = append(p.Authorities, PolicyAuthority{
			Institution: r.text(64), Anchor: r.bytes(maxCertificate), Policies: r.texts(128),
		})
	}
	p.WitnessesNeeded, p.AuthoritiesNeeded, p.InstitutionsNeeded = r.u16(), r.u16(), r.u16()
	p.NetworkRequired = r.oneOf(0, 1) == 1
	r.require(len(p.LogKeys) > 0, CodeEmptySet)
	return p
}

// texts is list<text<longest>, 64>.
func (r *reader) texts(longest uint32) (list []string) {
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		list = append(list, r.text(longest))
	}
	return list
}

// policyKeys are the keys of a policy, read.
type policyKeys struct {
	log, second, witnesses []*noteKey
}

func (p *Policy) keys() (*policyKeys, Code) {
	var failed Code
	read := func(list []string) (found []*noteKey) {
		for _, text := range list {
			key, code := parseNoteKey(text)
			if failed == 0 {
				failed = code
			}
			found = append(found, key)
		}
		return found
	}
	var witnesses []string
	for _, one := range p.Witnesses {
		witnesses = append(witnesses, one.Key)
	}
	keys := &policyKeys{read(p.LogKeys), read(p.SecondKeys), read(witnesses)}
	return keys, failed
}
