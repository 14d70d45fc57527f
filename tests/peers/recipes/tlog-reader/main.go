// Command tlog-reader reads a C2SP tlog-tiles log over HTTP with Go's own packages note and tlog, and nothing else: they
// open the checkpoint, rebuild its hashes from tiles, and make and check every proof. What is written here is where a
// tile stands, and how an entry bundle is cut.
//
//	tlog-reader keygen NAME                         a new key: the secret line, the public line
//	tlog-reader read URL VKEY STEP [CHECKPOINT...]  proves every STEPth entry and all edges, and that each older
//	                                                checkpoint is of the same log; says what it read, as JSON
//	tlog-reader prove URL VKEY SIZE                 the consistency proof from SIZE, unchecked, a hash a line
//
// URL is http://HOST/PATH or file:///PATH.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tlog-reader:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "keygen":
		secret, public, err := note.GenerateKey(rand.Reader, args[1])
		if err != nil {
			return err
		}
		fmt.Printf("%s\n%s\n", secret, public)
		return nil
	case len(args) >= 4 && args[0] == "read":
		step, err := strconv.ParseInt(args[3], 10, 64)
		if err != nil || step < 1 {
			return fmt.Errorf("STEP is a number from 1 on, found %q", args[3])
		}
		log, err := open(args[1], args[2])
		if err != nil {
			return err
		}
		return log.read(step, args[4:])
	case len(args) == 4 && args[0] == "prove":
		size, err := strconv.ParseInt(args[3], 10, 64)
		if err != nil {
			return err
		}
		log, err := open(args[1], args[2])
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(log.tree.N, size, log.hashes())
		if err != nil {
			return err
		}
		for _, hash := range proof {
			fmt.Println(hash)
		}
		return nil
	}
	return errors.New("usage: tlog-reader keygen NAME | read URL VKEY STEP [CHECKPOINT...] | prove URL VKEY SIZE")
}

// log is a log at its newest checkpoint.
type log struct {
	url    string
	client *http.Client
	known  note.Verifiers
	origin string
	tree   tlog.Tree
	tiles  map[tlog.Tile][]byte
}

func open(url, vkey string) (*log, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{}
	transport.RegisterProtocol("file", http.NewFileTransport(http.Dir("/")))
	l := &log{
		url:    strings.TrimSuffix(url, "/"),
		client: &http.Client{Transport: transport},
		known:  note.VerifierList(verifier),
		tiles:  make(map[tlog.Tile][]byte),
	}
	checkpoint, err := l.get("checkpoint")
	if err != nil {
		return nil, err
	}
	l.origin, l.tree, err = l.checkpoint(checkpoint)
	if err != nil {
		return nil, err
	}
	if l.origin != verifier.Name() {
		return nil, fmt.Errorf("the checkpoint is of %q, the key of %q", l.origin, verifier.Name())
	}
	return l, nil
}

// get reads one file of the log.
func (l *log) get(path string) ([]byte, error) {
	answer, err := l.client.Get(l.url + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// checkpoint opens a signed note. The package's own ParseTree takes the notes of the Go checksum database alone.
func (l *log) checkpoint(signed []byte) (origin string, tree tlog.Tree, err error) {
	opened, err := note.Open(signed, l.known)
	if err != nil {
		return "", tree, err
	}
	lines := strings.SplitN(opened.Text, "\n", 4)
	if len(lines) < 4 {
		return "", tree, errors.New("the note is no checkpoint")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return "", tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return lines[0], tree, err
}

// Height, ReadTiles and SaveTiles make it a tlog.TileReader.
func (l *log) Height() int { return height }

// ReadTiles fetches tiles: tlog-tiles names them as the package does, without the height.
func (l *log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(tiles))
	for at, tile := range tiles {
		if kept, ok := l.tiles[tile]; ok {
			read[at] = kept
			continue
		}
		rest, ok := strings.CutPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		if !ok {
			return nil, fmt.Errorf("the tile %s is of another height", tile.Path())
		}
		data, err := l.get("tile/" + rest)
		if err != nil {
			return nil, err
		}
		read[at] = data
	}
	return read, nil
}

// SaveTiles keeps tiles that the package found to be those of the checkpoint.
func (l *log) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for at, tile := range tiles {
		l.tiles[tile] = data[at]
	}
}

func (l *log) hashes() tlog.HashReader { return tlog.TileHashReader(l.tree, l) }

// bundle reads the entries of a bundle, each behind its length in two bytes.
func (l *log) bundle(number int64) ([][]byte, error) {
	tile := tlog.Tile{H: height, L: 0, N: number, W: int(min(width, l.tree.N-number*width))}
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/0/", height))
	data, err := l.get("tile/entries/" + path)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("the bundle %s is cut short", path)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries, data = append(entries, data[2:end]), data[end:]
	}
	if len(entries) != tile.W {
		return nil, fmt.Errorf("the bundle %s has %d entries, not %d", path, len(entries), tile.W)
	}
	return entries, nil
}

// report is what was read and held.
type report struct {
	Origin     string `json:"origin"`
	Size       int64  `json:"size"`
	Root       string `json:"root"`
	Proved     int    `json:"proved"`
	Consistent int    `json:"consistent"`
	Levels     int    `json:"levels"`
	Full       int    `json:"full_tiles"`
	Partial    int    `json:"partial_tiles"`
}

func (l *log) read(step int64, older []string) error {
	size, hashes := l.tree.N, l.hashes()
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return err
	}
	if root != l.tree.Hash {
		return errors.New("the tiles have another root than the checkpoint")
	}
	said := report{Origin: l.origin, Size: size, Root: base64.StdEncoding.EncodeToString(root[:])}

	wanted := func(index int64) bool {
		edge := index%(width*width) == 0 || (index+1)%(width*width) == 0 || index+1 == size
		return edge || index%step == 0
	}
	for number := int64(0); number*width < size; number++ {
		var entries [][]byte
		for index := number * width; index < min(size, (number+1)*width); index++ {
			if !wanted(index) {
				continue
			}
			if entries == nil {
				if entries, err = l.bundle(number); err != nil {
					return err
				}
			}
			leaf := tlog.RecordHash(entries[index%width])
			proof, err := tlog.ProveRecord(size, index, hashes)
			if err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
			if err := tlog.CheckRecord(proof, size, l.tree.Hash, index, leaf); err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
			said.Proved++
		}
	}
	for _, name := range older {
		signed, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		origin, old, err := l.checkpoint(signed)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if origin != l.origin {
			return fmt.Errorf("%s is of %q", name, origin)
		}
		proof, err := tlog.ProveTree(size, old.N, hashes)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := tlog.CheckTree(proof, size, l.tree.Hash, old.N, old.Hash); err != nil {
			return fmt.Errorf("%s is not of this log: %w", name, err)
		}
		said.Consistent++
	}
	for tile := range l.tiles {
		said.Levels = max(said.Levels, tile.L+1)
		if tile.W == width {
			said.Full++
		} else {
			said.Partial++
		}
	}
	return json.NewEncoder(os.Stdout).Encode(said)
}
