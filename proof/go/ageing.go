package verify

import "strings"

// ages judges what rests on algorithms at a time (section 13, "Ageing").
type ages struct {
	sunsets []Sunset
	at      uint64
	// renewed are the times of the renewals that count.
	renewed []uint64
}

// standing is how something stands: alive, or with the algorithm that lapsed
// first, and the earliest renewal before that, if there is one.
type standing struct {
	lapsed string
	by     *uint64
}

func (s standing) counts() bool { return s.lapsed == "" || s.by != nil }

// of judges what rests on all of these algorithms.
func (a *ages) of(names ...string) (s standing) {
	var first uint64
	for _, name := range names {
		if at, there := a.sunset(name); there && at <= a.at && (s.lapsed == "" || at < first) {
			s.lapsed, first = name, at
		}
	}
	if s.lapsed == "" {
		return s
	}
	for i := range a.renewed {
		if one := &a.renewed[i]; *one < first && (s.by == nil || *one < *s.by) {
			s.by = one
		}
	}
	return s
}

// sunset is that of the algorithm; of RSA that of its size or of all sizes,
// whichever is earlier.
func (a *ages) sunset(name string) (at uint64, there bool) {
	for _, one := range a.sunsets {
		if one.Algorithm == name || one.Algorithm == "rsa" && strings.HasPrefix(name, "rsa-") {
			if !there || one.At < at {
				at, there = one.At, true
			}
		}
	}
	return at, there
}

// judgeRenewals judges renewals, oldest first, and gives for each its time if
// it counts.
func judgeRenewals(sunsets []Sunset, at uint64, renewals [][]held) (*ages, []*uint64) {
	a := &ages{sunsets: sunsets, at: at}
	times := make([]*uint64, len(renewals))
	for i := len(renewals) - 1; i >= 0; i-- {
		if !a.of("sha256").counts() && !a.of("sm3").counts() {
			continue
		}
		var latest *uint64
		for _, one := range renewals[i] {
			if time := one.stamp.time; a.of(one.stamp.names()...).counts() && (latest == nil || time > *latest) {
				latest = &time
			}
		}
		if latest != nil {
			times[i] = latest
			a.renewed = append(a.renewed, *latest)
		}
	}
	return a, times
}
