// A log of Tessera on this machine's disk, with antispam, loaded from inside or served over HTTP.
//
// The library is used as it is: POSIX storage and its Badger antispam. All that is ours is this file: it makes the
// entries, waits for each future, and counts. An entry counts when its future resolved without an error, which the
// library gives after the entry bundle, the tiles and the tree state were written with O_SYNC and their folders synced.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	badger "github.com/transparency-dev/tessera/storage/posix/antispam"
	"golang.org/x/mod/sumdb/note"
)

var (
	dir      = flag.String("dir", "", "folder of the log")
	key      = flag.String("key", "", "file with the signing key, as note writes it")
	batch    = flag.Uint("batch", tessera.DefaultBatchMaxSize, "entries of one batch at most")
	age      = flag.Duration("age", tessera.DefaultBatchMaxAge, "how long a batch waits")
	dedup    = flag.Bool("antispam", true, "keep the index of what was seen")
	interval = flag.Duration("checkpoint", time.Second, "how often a checkpoint is published")
	bytes    = flag.Int("bytes", 71, "length of an entry")
	writers  = flag.Int("writers", 1024, "load: who add at one time")
	warmUp   = flag.Duration("warm-up", 2*time.Second, "load: time that does not count")
	counted  = flag.Duration("for", 10*time.Second, "load: time that counts")
	listen   = flag.String("listen", "", "serve POST /add here, in place of the load")
)

func main() {
	flag.Parse()
	ctx := context.Background()
	appender, shutdown := open(ctx)
	if *listen != "" {
		serve(appender)
		return
	}
	report := load(ctx, appender)
	if err := shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

func open(ctx context.Context) (*tessera.Appender, func(context.Context) error) {
	secret, err := os.ReadFile(*key)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := note.NewSigner(string(secret))
	if err != nil {
		log.Fatal(err)
	}
	driver, err := posix.New(ctx, posix.Config{Path: *dir})
	if err != nil {
		log.Fatal(err)
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(*interval).
		WithBatching(*batch, *age)
	if *dedup {
		seen, err := badger.NewAntispam(ctx, filepath.Join(*dir, ".state", "antispam"), badger.AntispamOpts{})
		if err != nil {
			log.Fatal(err)
		}
		options = options.WithAntispam(tessera.DefaultAntispamInMemorySize, seen)
	}
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		log.Fatal(err)
	}
	return appender, shutdown
}

// found is what a load found: counts of the counted time, latencies in milliseconds.
type found struct {
	Acknowledged int     `json:"acknowledged"`
	PushedBack   int     `json:"pushed_back"`
	PerSecond    float64 `json:"acknowledged_per_second"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
}

// load adds entries unlike each other from so many goroutines, each waiting for its entry before it adds the next.
func load(ctx context.Context, appender *tessera.Appender) found {
	start := time.Now()
	begin := start.Add(*warmUp)
	end := begin.Add(*counted)
	var all sync.WaitGroup
	var held sync.Mutex
	var took []time.Duration
	pushed := 0
	for writer := range *writers {
		all.Add(1)
		go func() {
			defer all.Done()
			var own []time.Duration
			refused := 0
			for number := 0; time.Now().Before(end); number++ {
				entry := make([]byte, *bytes)
				copy(entry, fmt.Sprintf("%08d %012d %d", writer, number, start.UnixNano()))
				asked := time.Now()
				_, err := appender.Add(ctx, tessera.NewEntry(entry))()
				now := time.Now()
				counts := now.After(begin) && now.Before(end)
				switch {
				case err == nil:
					if counts {
						own = append(own, now.Sub(asked))
					}
				case errors.Is(err, tessera.ErrPushback):
					if counts {
						refused++
					}
					time.Sleep(5 * time.Millisecond)
				default:
					log.Fatal(err)
				}
			}
			held.Lock()
			defer held.Unlock()
			took = append(took, own...)
			pushed += refused
		}()
	}
	all.Wait()
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	at := func(permille int) float64 {
		if len(took) == 0 {
			return 0
		}
		return float64(took[min(len(took)-1, len(took)*permille/1000)].Microseconds()) / 1000
	}
	return found{
		Acknowledged: len(took),
		PushedBack:   pushed,
		PerSecond:    float64(len(took)) / counted.Seconds(),
		P50:          at(500),
		P99:          at(990),
	}
}

// serve answers POST /add with the position of the body, as Tessera's own example of a server does.
func serve(appender *tessera.Appender) {
	http.HandleFunc("POST /add", func(answer http.ResponseWriter, request *http.Request) {
		entry, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		index, err := appender.Add(request.Context(), tessera.NewEntry(entry))()
		switch {
		case errors.Is(err, tessera.ErrPushback):
			http.Error(answer, err.Error(), http.StatusTooManyRequests)
		case err != nil:
			http.Error(answer, err.Error(), http.StatusInternalServerError)
		default:
			fmt.Fprintf(answer, "%d", index.Index)
		}
	})
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, nil))
}
