// A time authority (RFC 3161) over HTTP, whose requests are read and whose time-stamps are made by the package of Digitorus.
//
//	go-tsa ADDRESS FOLDER
//
// It makes a root and a signer below it, writes FOLDER/root.pem, and then listens. What is asked at /tsa is stamped as it
// should be. At the other paths it lies: /stranger signs below another root of the same name, /nonce answers another
// request, /imprint stamps another digest. (The package puts no X.509 certificate into a token that is not of the signer's
// chain.)
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/digitorus/timestamp"
)

// A signer of time-stamps below a root of its own.
type authority struct {
	root, signer *x509.Certificate
	key          *ecdsa.PrivateKey
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func certify(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	must(err)
	made, err := x509.ParseCertificate(der)
	must(err)
	return made
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}

func newAuthority(name string) authority {
	rootKey, key := newKey(), newKey()
	from, until := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name + " root"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	made := authority{key: key}
	made.root = certify(root, root, &rootKey.PublicKey, rootKey)
	// RFC 3161, section 2.3: time-stamping alone, and critical, which the library's own field is not.
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	must(err)
	signer := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}
	made.signer = certify(signer, made.root, &key.PublicKey, rootKey)
	return made
}

func (a authority) stamp(query []byte, change func(*timestamp.Timestamp)) ([]byte, error) {
	asked, err := timestamp.ParseRequest(query)
	if err != nil {
		return nil, err
	}
	said := timestamp.Timestamp{
		HashAlgorithm: asked.HashAlgorithm, HashedMessage: asked.HashedMessage, Time: time.Now().UTC(),
		Accuracy: time.Second, Nonce: asked.Nonce, Policy: asn1.ObjectIdentifier{1, 2, 3, 4, 7},
		AddTSACertificate: asked.Certificates,
	}
	change(&said)
	return said.CreateResponseWithOpts(a.signer, a.key, crypto.SHA256)
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go-tsa ADDRESS FOLDER")
	}
	own, other := newAuthority("go-tsa"), newAuthority("go-tsa")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.root.Raw})
	must(os.WriteFile(filepath.Join(os.Args[2], "root.pem"), root, 0o644))
	honest := func(*timestamp.Timestamp) {}
	at := func(path string, by authority, change func(*timestamp.Timestamp)) {
		http.HandleFunc(path, func(answer http.ResponseWriter, request *http.Request) {
			query, err := io.ReadAll(io.LimitReader(request.Body, 1<<16))
			if err != nil || request.Header.Get("Content-Type") != "application/timestamp-query" {
				http.Error(answer, "a time-stamp query is asked", http.StatusBadRequest)
				return
			}
			reply, err := by.stamp(query, change)
			if err != nil {
				reply, err = timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.BadRequest)
				must(err)
			}
			answer.Header().Set("Content-Type", "application/timestamp-reply")
			_, _ = answer.Write(reply)
		})
	}
	at("/tsa", own, honest)
	at("/stranger", other, honest)
	at("/nonce", own, func(said *timestamp.Timestamp) { said.Nonce = big.NewInt(7) })
	at("/imprint", own, func(said *timestamp.Timestamp) { said.HashedMessage = make([]byte, 32) })
	listener, err := net.Listen("tcp", os.Args[1])
	must(err)
	must(http.Serve(listener, nil))
}
