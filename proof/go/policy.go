package verify

import "strings"

const (
	policyMagic       = "ZGPOLIC1"
	policyMagicSecond = "ZGPOLIC2"
	maxPolicyLength   = 1 << 20
	// shardPart stands between the origin of a log and the name of a shard.
	shardPart = "/shard/"
	// maxShard is the longest origin of a shard.
	maxShard = 251
)

// PolicyService is a transparency service whose receipts count.
type PolicyService struct {
	Institution string
	// Issuer is what its receipts must name; nil: any.
	Issuer *string
	// Key is a SubjectPublicKeyInfo.
	Key []byte
}

// PolicyLater is what a policy of the second form asks besides.
type PolicyLater struct {
	// Shards says that the shards of the log are followed.
	Shards   bool
	Services []PolicyService
}

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
	// Later is nil in the first form.
	Later *PolicyLater
	// Digest is what a report names.
	Digest Hash
}

// isFor says that the policy is for the log of this origin: its own, or that of
// a shard where shards are followed.
func (p *Policy) isFor(origin string) bool {
	if origin == p.Origin {
		return true
	}
	rest, below := strings.CutPrefix(origin, p.Origin)
	name, named := strings.CutPrefix(rest, shardPart)
	return p.Later != nil && p.Later.Shards && below && named && isShardName(name) && len(origin) <= maxShard
}

func isShardName(name string) bool {
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return name != ""
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
	second := strings.HasPrefix(string(r.data[r.pos:]), policyMagicSecond)
	if second {
		r.magic(policyMagicSecond)
	} else {
		r.magic(policyMagic)
	}
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
	if second {
		p.Later = r.policyLater()
	}
	r.require(len(p.LogKeys) > 0, CodeEmptySet)
	return p
}

func (r *reader) policyLater() *PolicyLater {
	l := &PolicyLater{Shards: r.oneOf(0, 1) == 1}
	n := r.count(64)
	for i := 0; i < n && r.ok(); i++ {
		one := PolicyService{Institution: r.text(64)}
		if r.some() {
			issuer := r.text(1024)
			one.Issuer = &issuer
		}
		one.Key = r.bytes(1024)
		l.Services = append(l.Services, one)
	}
	return l
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

// ofShard names the log's keys by the origin of a shard.
func (k *policyKeys) ofShard(log, shard string) {
	for _, one := range []struct {
		keys     []*noteKey
		from, to string
	}{{k.log, log, shard}, {k.second, log + "/sm3", shard + "/sm3"}} {
		for i, key := range one.keys {
			if key.name == one.from {
				one.keys[i] = key.renamed(one.to)
			}
		}
	}
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
	if p.Later != nil {
		for _, one := range p.Later.Services {
			if _, code := parsePublicKey(one.Key); failed == 0 {
				failed = code
			}
		}
	}
	return keys, failed
}
