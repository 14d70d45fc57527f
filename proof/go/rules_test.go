package verify

import (
	"bytes"
	"crypto/sha256"
	"math"
	"strings"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// opened is a proof of a body under a path.
func opened(n Namespace, path string, body []byte) []byte {
	leaf := testLeaf(n, path, SHA256.framed(bodyPurposes[n], body))
	return testProof(leaf, certify, uint8(1), uint32(len(body)), body, uint8(0))
}

// Every body of section 3 and its rules.
func TestBodies(t *testing.T) {
	origin := sha256.Sum256([]byte("log.example"))
	view := join(uint64(5), Hash{5})
	outbox := singleOutbox(300, Hash{6})
	client := counted("07-client.a_b+c#[d]<e>")
	for name, c := range map[string]struct {
		n    Namespace
		path string
		body []byte
		want Code
	}{
		"handover":                {NamespaceHandover, string(be64(8)), join(uint64(8), testCommittee(), uint64(3), outbox), 0},
		"handover to era 0":       {NamespaceHandover, string(be64(0)), join(uint64(0), testCommittee(), uint64(3), outbox), CodeOutOfRange},
		"handover, bad key":       {NamespaceHandover, string(be64(8)), join(uint64(8), make([]byte, 96)), CodeBadKey},
		"handover, another era":   {NamespaceHandover, string(be64(9)), join(uint64(8), testCommittee(), uint64(3), outbox), CodeWrongPath},
		"standing":                {NamespaceStanding, string(be64(4)), join(uint64(4), uint64(3), uint64(0), Hash{}), 0},
		"closed":                  {NamespaceClosed, "client-1\x02" + string(be64(6)), join(counted("client-1"), uint64(6), Hash{}, uint64(1)), 0},
		"closed, acknowledgement": {NamespaceClosed, "client-1\x03" + string(be64(6)), join(counted("client-1"), uint64(6), Hash{}, uint64(1)), CodeWrongPath},
		"retraction":              {NamespaceRetraction, string(be64(2)), join(uint64(2), Hash{}, client, uint64(1)), 0},
		"anchor":                  {NamespaceAnchor, string(origin[:]) + string(be64(300)), join(counted("log.example"), outbox), 0},
		"anchor of nothing":       {NamespaceAnchor, "x", join(counted(""), outbox), CodeEmpty},
		"anchor, origin too long": {NamespaceAnchor, "x", join(uint32(256)), CodeTooLong},
		"anchor, SM3 only":        {NamespaceAnchor, "x", join(counted("log.example"), uint64(1), uint32(1), uint8(SM3), Hash{}), CodeNoSuchRoot},
		"anchor, no root":         {NamespaceAnchor, "x", join(counted("log.example"), uint64(1), uint32(0)), CodeNoSuchRoot},
		"anchor, root twice":      {NamespaceAnchor, "x", join(counted("log.example"), uint64(1), uint32(2), uint8(1), Hash{}, uint8(1), Hash{}), CodeNotSorted},
		"split view":              {NamespaceSplitView, string(origin[:]), join(counted("log.example"), uint8(2), view, uint64(5), Hash{7}), 0},
		"one view":                {NamespaceSplitView, string(origin[:]), join(counted("log.example"), uint8(2), view, view), CodeNoMisbehaviour},
		"split view, suite":       {NamespaceSplitView, string(origin[:]), join(counted("log.example"), uint8(3), view, view), CodeUnknownTag},
		"client":                  {NamespaceClient, "07-client.a_b+c#[d]<e>", join(client, uint8(1), uint64(3), uint64(4)), 0},
		"client, status":          {NamespaceClient, "abcd", join(counted("abcd"), uint8(3), uint64(3), uint64(4)), CodeUnknownTag},
		"client, short":           {NamespaceClient, "abc", join(counted("abc"), uint8(1), uint64(3), uint64(4)), CodeBadIdentifier},
		"client, character":       {NamespaceClient, "ab/d", join(counted("ab/d"), uint8(1), uint64(3), uint64(4)), CodeBadIdentifier},
		"client, not ASCII":       {NamespaceClient, "abcé", join(counted("abcé"), uint8(1), uint64(3), uint64(4)), CodeBadIdentifier},
		"client, not text":        {NamespaceClient, "abc\xff", join(counted("abc\xff"), uint8(1), uint64(3), uint64(4)), CodeBadText},
		"client, long":            {NamespaceClient, strings.Repeat("a", 65), join(counted(strings.Repeat("a", 65))), CodeTooLong},
		"registered":              {NamespaceRegistry, "\x02name", join(uint8(2), counted("name"), uint8(1), Hash{3}, uint64(4)), 0},
		"registered, no digest":   {NamespaceRegistry, "\x02name", join(uint8(2), counted("name"), uint8(0), uint64(4)), 0},
		"registered, no name":     {NamespaceRegistry, "\x02", join(uint8(2), counted(""), uint8(0), uint64(4)), CodeEmpty},
		"registered, kind":        {NamespaceRegistry, "\x03name", join(uint8(2), counted("name"), uint8(0), uint64(4)), CodeWrongPath},
		"left over":               {NamespaceStanding, string(be64(4)), join(uint64(4), uint64(3), uint64(0), Hash{}, uint8(0)), CodeTrailingBytes},
		"cut":                     {NamespaceStanding, string(be64(4)), join(uint64(4), uint64(3), uint64(0)), CodeTruncated},
		"nothing":                 {NamespaceStanding, string(be64(4)), nil, CodeTruncated},
	} {
		if got := ask(t, opened(c.n, c.path, c.body)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// The rules of the leaf and the proof file (sections 3, 5 and 7).
func TestProofDecoding(t *testing.T) {
	good := testLeaf(NamespaceIBC, "abcd\x01", Hash{4})
	none := []any{uint8(0), uint8(0)}
	proof := func(leaf []byte) []byte { return testProof(leaf, certify, none...) }
	header := testHeader(singleOutbox(1, SHA256.leafHash(good)))
	after := func(suite, count, rest any) []byte {
		return join(proofMagic, header, certify(header), good, suite, uint64(0), count, rest)
	}
	for name, c := range map[string]struct {
		proof []byte
		want  Code
	}{
		"good":                {proof(good), 0},
		"longest path":        {proof(testLeaf(NamespaceIBC, strings.Repeat("p", 128), Hash{})), 0},
		"path too long":       {proof(testLeaf(NamespaceIBC, strings.Repeat("p", 129), Hash{})), CodeTooLong},
		"no path":             {proof(testLeaf(NamespaceIBC, "", Hash{})), CodeEmpty},
		"namespace 0":         {proof(testLeaf(0, "p", Hash{})), CodeUnknownTag},
		"namespace 10":        {proof(testLeaf(10, "p", Hash{})), CodeUnknownTag},
		"leaf format":         {proof(append([]byte{0, 3}, good[2:]...)), CodeUnknownTag},
		"another magic":       {join("ZGPROOF2"), CodeBadMagic},
		"magic cut":           {join("XX"), CodeTruncated},
		"endorsement":         {join(proofMagic, header, uint8(3)), CodeUnknownTag},
		"outbox roots":        {join(proofMagic, testHeader(join(uint64(1), uint32(5)))), CodeTooMany},
		"outbox suite":        {join(proofMagic, testHeader(join(uint64(1), uint32(1), uint8(9), Hash{}))), CodeUnknownTag},
		"suite":               {after(uint8(3), uint32(0), join(none...)), CodeUnknownTag},
		"longer path":         {after(uint8(1), uint32(65), ""), CodeTooMany},
		"opening too long":    {after(uint8(1), uint32(0), join(uint8(1), uint32(524289))), CodeTooLong},
		"opening tag":         {after(uint8(1), uint32(0), join(uint8(2))), CodeUnknownTag},
		"consistency hashes":  {after(uint8(1), uint32(0), join(uint8(0), uint8(1), uint32(129))), CodeTooMany},
		"empty consistency":   {after(uint8(1), uint32(0), join(uint8(0), uint8(1), uint32(0))), CodeConsistencyUnneeded},
		"opening of a packet": {after(uint8(1), uint32(0), join(uint8(1), uint32(0), uint8(0))), CodeWrongOpening},
	} {
		if got := ask(t, c.proof); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// The rules of a seal (section 5).
func TestSeals(t *testing.T) {
	leaf := testLeaf(NamespaceIBC, "abcd\x01", Hash{4})
	proof := func(endorse func(header []byte) []byte) []byte {
		return testProof(leaf, endorse, uint8(0), uint8(0))
	}
	by := func(members ...int) []byte {
		return proof(func(header []byte) []byte { return sealed(header, members...) })
	}
	high := by(0, 1, 2)
	// The first signature's s and v as their other form: n - s, 1 - v.
	at := strings.Index(string(high), string(join(uint8(2), uint8(Secp256k1), uint32(3), uint16(0)))) + 8
	s := new(secp256k1.ModNScalar)
	s.SetByteSlice(high[at+32 : at+64])
	s.Negate().PutBytesUnchecked(high[at+32 : at+64])
	high[at+64] ^= 1
	third := by(0, 1, 2)
	third[at+64] = 2
	for name, c := range map[string]struct {
		proof []byte
		want  Code
	}{
		"three of four":    {by(0, 1, 2), 0},
		"two of four":      {by(0, 2), CodeQuorumNotReached},
		"none":             {by(), CodeEmpty},
		"one twice":        {by(0, 0, 1), CodeNotSorted},
		"descending":       {by(1, 0, 2), CodeNotSorted},
		"a stranger":       {by(0, 1, 4), CodeUnknownSigner},
		"without a key":    {by(0, 1, 3), CodeBadKey},
		"above half":       {high, CodeBadSignature},
		"v is 2":           {third, CodeBadSignature},
		"another suite":    {proof(func([]byte) []byte { return join(uint8(2), uint8(4)) }), CodeUnknownTag},
		"suite 0":          {proof(func([]byte) []byte { return join(uint8(2), uint8(0)) }), CodeUnknownTag},
		"more than a list": {proof(func([]byte) []byte { return join(uint8(2), uint8(1), uint32(129)) }), CodeTooMany},
	} {
		if got := ask(t, c.proof); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// Points that are not what section 5 asks for.
func TestPoints(t *testing.T) {
	key := groupKeyBytes()
	if _, ok := parseG2(key); !ok {
		t.Fatal("a good key")
	}
	with := func(change func(b []byte)) []byte {
		b := append([]byte(nil), key...)
		change(b)
		return b
	}
	for name, b := range map[string][]byte{
		"no mark":      with(func(b []byte) { b[0] &= 0x1f }),
		"uncompressed": with(func(b []byte) { b[0] &^= 0x80 }),
		"marked none":  with(func(b []byte) { b[0] |= 0x40 }),
		"short":        key[:95],
		"none":         {},
		"the identity": append([]byte{0xc0}, make([]byte, 95)...),
		"x is p or more": with(func(b []byte) {
			for i := range b {
				b[i] = 0xff
			}
			b[0] = 0x9f
		}),
	} {
		if _, ok := parseG2(b); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	// Points of the curves outside the subgroups, as many a small x has.
	onCurve := func(b []byte, point any) bool {
		return bls12381.NewDecoder(bytes.NewReader(b), bls12381.NoSubgroupChecks()).Decode(point) == nil
	}
	outside := [2]int{}
	for x := 1; x < 40; x++ {
		g1, g2 := make([]byte, g1Length), make([]byte, g2Length)
		g1[0], g1[g1Length-1], g2[0], g2[g2Length-1] = 0x80, byte(x), 0x80, byte(x)
		if onCurve(g1, new(bls12381.G1Affine)) {
			outside[0]++
			if _, ok := parseG1(g1); ok {
				t.Errorf("G1, x = %d: accepted", x)
			}
		}
		if onCurve(g2, new(bls12381.G2Affine)) {
			outside[1]++
			if _, ok := parseG2(g2); ok {
				t.Errorf("G2, x = %d: accepted", x)
			}
		}
	}
	if outside[0] < 5 || outside[1] < 5 {
		t.Errorf("too few points: %v", outside)
	}
}

// The rules of a committee and a trust file (section 6).
func TestTrustRules(t *testing.T) {
	one := join(uint32(1), uint64(7), testCommittee(), uint8(0))
	none := join(uint32(0))
	pin := join(uint8(1), singleOutbox(4, Hash{}))
	era := func(n uint64, pinned []byte) []byte { return join(n, testCommittee(), pinned) }
	committee := func(c ...any) []byte {
		return trustFile(join(uint32(1), uint64(7), join(c...), uint8(0)), none, testInstitutions, none)
	}
	eras := func(e []byte) []byte { return trustFile(e, none, testInstitutions, none) }
	sunsets := func(s []byte) []byte { return trustFile(one, s, testInstitutions, none) }
	institutions := func(i []byte) []byte { return trustFile(one, none, i, none) }
	signatures := func(s []byte) []byte { return trustFile(one, none, testInstitutions, s) }
	dealt := join(groupKeyBytes(), uint8(2))
	bare := func(engine byte, keys ...any) []byte {
		return join(counted(""), counted(""), Hash{engine}, uint32(len(keys)), join(keys...))
	}
	secp := join(uint8(Secp256k1), testSealKey(0).PubKey().SerializeCompressed())
	sm := join(uint8(SM2), make([]byte, 65))
	institution := join(counted("one"), Hash{9})
	for name, c := range map[string]struct {
		file []byte
		want Code
	}{
		"good":                  {testTrust(), 0},
		"two eras":              {eras(join(uint32(2), era(7, pin), era(8, []byte{0}))), 0},
		"magic":                 {join("ZGTRUST2"), CodeBadMagic},
		"no era":                {eras(none), CodeEmptySet},
		"too many eras":         {eras(join(uint32(4097))), CodeTooMany},
		"an era left out":       {eras(join(uint32(2), era(7, pin), era(9, []byte{0}))), CodeNotNextEra},
		"an era twice":          {eras(join(uint32(2), era(7, pin), era(7, []byte{0}))), CodeNotNextEra},
		"after the largest":     {eras(join(uint32(2), era(math.MaxUint64, pin), era(0, []byte{0}))), CodeNotNextEra},
		"no pin":                {eras(join(uint32(2), era(7, []byte{0}), era(8, []byte{0}))), CodeConsistencyMissing},
		"last is pinned":        {eras(join(uint32(1), era(7, pin))), CodeConsistencyMissing},
		"pin tag":               {eras(join(uint32(1), era(7, []byte{2}))), CodeUnknownTag},
		"group key":             {committee(make([]byte, 96)), CodeBadKey},
		"origin":                {committee(groupKeyBytes(), uint8(3)), CodeUnknownTag},
		"ceremony":              {committee(groupKeyBytes(), uint8(1), Hash{}, uint32(1), bare(1)), 0},
		"no member":             {committee(dealt, uint32(0)), CodeEmptySet},
		"too many members":      {committee(dealt, uint32(129)), CodeTooMany},
		"members ascend":        {committee(dealt, uint32(2), bare(1), bare(2)), 0},
		"members descend":       {committee(dealt, uint32(2), bare(2), bare(1)), CodeNotSorted},
		"a member twice":        {committee(dealt, uint32(2), bare(1), bare(1)), CodeRepeatedMember},
		"a seal key twice":      {committee(dealt, uint32(2), bare(1, secp), bare(2, secp)), CodeRepeatedMember},
		"seal suites descend":   {committee(dealt, uint32(1), bare(1, sm, secp)), CodeNotSorted},
		"a seal suite twice":    {committee(dealt, uint32(1), bare(1, secp, secp)), CodeNotSorted},
		"a seal suite unknown":  {committee(dealt, uint32(1), bare(1, []byte{4})), CodeUnknownTag},
		"too many seal keys":    {committee(dealt, uint32(1), counted(""), counted(""), Hash{}, uint32(4)), CodeTooMany},
		"name too long":         {committee(dealt, uint32(1), uint32(65)), CodeTooLong},
		"name is no text":       {committee(dealt, uint32(1), counted("\xff")), CodeBadText},
		"sunsets":               {sunsets(join(uint32(2), counted("a"), uint64(2), counted("b"), uint64(1))), 0},
		"sunsets descend":       {sunsets(join(uint32(2), counted("b"), uint64(1), counted("a"), uint64(2))), CodeNotSorted},
		"a sunset twice":        {sunsets(join(uint32(2), counted("a"), uint64(1), counted("a"), uint64(2))), CodeNotSorted},
		"too many sunsets":      {sunsets(join(uint32(65))), CodeTooMany},
		"no institution":        {institutions(join(uint16(0), uint32(0))), CodeEmptySet},
		"threshold 0":           {institutions(join(uint16(0), uint32(1), institution)), CodeOutOfRange},
		"threshold 2 of 1":      {institutions(join(uint16(2), uint32(1), institution)), CodeOutOfRange},
		"an institution twice":  {institutions(join(uint16(1), uint32(2), institution, institution)), CodeRepeatedMember},
		"too many institutions": {institutions(join(uint16(1), uint32(65))), CodeTooMany},
		"signatures":            {signatures(join(uint32(2), uint16(0), make([]byte, 64), uint16(1), make([]byte, 64))), 0},
		"a signature twice":     {signatures(join(uint32(2), uint16(1), make([]byte, 64), uint16(1), make([]byte, 64))), CodeNotSorted},
		"too many signatures":   {signatures(join(uint32(65))), CodeTooMany},
		"left over":             {append(testTrust(), 0), CodeTrailingBytes},
	} {
		got := codeOf(t, func() error { _, err := ParseTrust(c.file); return err })
		if got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// The last era is present before the end of the trusting period, expired from
// then on; the end is exact, so one beyond the largest time never comes.
func TestEraState(t *testing.T) {
	trust, err := ParseTrust(testTrust())
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[uint64]EraState{
		0: Present, testIssued: Present, testIssued + testPeriod - 1: Present,
		testIssued + testPeriod: Expired, math.MaxUint64: Expired,
	} {
		if got := trust.state(0, at); got != want {
			t.Errorf("%d: %v", at, got)
		}
	}
	for _, c := range []struct {
		period, at uint64
		want       EraState
	}{
		{0, testIssued - 1, Present},
		{0, testIssued, Expired},
		{math.MaxUint64 - testIssued, math.MaxUint64 - 1, Present},
		{math.MaxUint64 - testIssued, math.MaxUint64, Expired},
		{math.MaxUint64 - testIssued + 1, math.MaxUint64, Present},
		{math.MaxUint64, 0, Present},
		{math.MaxUint64, math.MaxUint64, Present},
	} {
		trust.TrustingPeriod = c.period
		if got := trust.state(0, c.at); got != c.want {
			t.Errorf("period %d at %d: %v, want %v", c.period, c.at, got, c.want)
		}
	}
}

func TestRefusal(t *testing.T) {
	err := refused("proof", CodeNotIncluded)
	if got := err.Error(); got != "proof refused: 308 NotIncluded: the path does not lead to the root" {
		t.Error(got)
	}
	if CodeTrustExpired.Never() || !CodeNotIncluded.Never() {
		t.Error("permanence")
	}
	if Code(9).Name() != "Code9" || CodeEmpty.TextZH() == "" {
		t.Error("names")
	}
}
