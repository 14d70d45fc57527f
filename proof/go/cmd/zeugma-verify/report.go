package main

import (
	"fmt"
	"io"
	"math"
	"time"

	verify "zeugma.example/verify"
)

// report says in plain words what a proof proves.
func report(out io.Writer, p *verify.Proven) {
	fmt.Fprintln(out, "proven: the network said this, at this height and time")
	line := func(label, form string, values ...any) {
		fmt.Fprintf(out, "  %-11s "+form+"\n", append([]any{label}, values...)...)
	}
	line("network", "%x", p.Leaf.Network)
	line("height", "%d", p.Leaf.Height)
	line("time", "%s", moment(p.Leaf.Time))
	line("about", "%s %x", p.Leaf.Path.Namespace, p.Leaf.Path.Bytes)
	line("value", "%x (%s)", p.Leaf.Value, p.Leaf.Format)
	if p.Body != nil {
		line("body", "%s", describe(p.Body))
	} else if p.Leaf.Path.Namespace != verify.NamespaceIBC {
		line("body", "not in the proof")
	}
	line("header", "height %d at %s", p.Header.Height, moment(p.Header.Time))
	line("endorsed", "%s, key of era %d (%s)", endorsement(p), p.Era.Number, p.State)
	line("trust file", "%x", p.Trust.Fingerprint)
	if p.Era.Committee.Dealt() {
		fmt.Fprintln(out, "warning: one dealer made this era's key, who could have kept it")
	}
	fmt.Fprintln(out, "The signatures of institutions under the trust file were not checked.")
	fmt.Fprintln(out, "This does not say that the statement still holds.")
}

// moment writes milliseconds since 1970 as a date, where there is one.
func moment(ms uint64) string {
	if ms > math.MaxInt64/2_000_000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return time.UnixMilli(int64(ms)).UTC().Format("2006-01-02T15:04:05.000Z")
}

func endorsement(p *verify.Proven) string {
	if p.Endorsement.Certificate != nil {
		return fmt.Sprintf("certificate of epoch %d", p.Endorsement.Certificate.Epoch)
	}
	seal := p.Endorsement.Seal
	return fmt.Sprintf("seal of %d of %d members (%s)",
		len(seal.Signatures), len(p.Era.Committee.Members), seal.Suite)
}

// describe tells a body in one line. Names are quoted: they may hold anything.
func describe(body verify.Body) string {
	switch b := body.(type) {
	case *verify.Handover:
		return fmt.Sprintf("era %d begins after height %d, with %d members; the outbox then had %d leaves",
			b.Era, b.Height, len(b.Committee.Members), b.Outbox.Size)
	case *verify.Standing:
		return fmt.Sprintf("%d entries were in force when epoch %d ended, at height %d",
			b.Count, b.Epoch, b.Height)
	case *verify.Closed:
		return fmt.Sprintf("packet %d of client %q is closed, its timeout %d s", b.Sequence, b.Client, b.Timeout)
	case *verify.Retraction:
		return fmt.Sprintf("leaf %d, of client %q and height %d, is taken back", b.Index, b.Client, b.Height)
	case *verify.Anchor:
		return fmt.Sprintf("log %q had %d entries", b.Origin, b.Log.Size)
	case *verify.SplitView:
		return fmt.Sprintf("log %q gave two views, of %d and %d entries", b.Origin, b.One.Size, b.Other.Size)
	case *verify.ClientEvent:
		status := "active"
		if b.Status == verify.ClientFrozen {
			status = "frozen"
		}
		return fmt.Sprintf("client %q is %s since height %d", b.Client, status, b.Height)
	case *verify.Registered:
		if b.Digest == nil {
			return fmt.Sprintf("%q (kind %d) stands for nothing from %d on", b.Name, b.Kind, b.From)
		}
		return fmt.Sprintf("%q (kind %d) stands for %x from %d on", b.Name, b.Kind, *b.Digest, b.From)
	}
	return ""
}
