package verify

import (
	"crypto/sha256"
	"io"

	"github.com/emmansun/gmsm/sm3"
)

// SubjectOf gives the digests of a file.
func SubjectOf(file []byte) Subject {
	one, other := SHA256.sum(file), SM3.sum(file)
	return Subject{&one, &other}
}

// ReadSubject gives the digests of a file of any length.
func ReadSubject(file io.Reader) (Subject, error) {
	one, other := sha256.New(), sm3.New()
	if _, err := io.Copy(io.MultiWriter(one, other), file); err != nil {
		return Subject{}, err
	}
	a, b := Hash(one.Sum(nil)), Hash(other.Sum(nil))
	return Subject{&a, &b}, nil
}
