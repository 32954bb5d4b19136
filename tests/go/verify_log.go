// verify_log checks a whole tiled log with nothing of Plainview's: only the Go project's own note and tlog packages.
//
//	verify_log LOGDIR VKEYFILE                      check everything
//	verify_log LOGDIR VKEYFILE OLDSIZE OLDROOT      and that it continues an older checkpoint (root in base64)
//
// It opens the checkpoint, recomputes the root from all entries, compares every tile byte for byte, and checks
// inclusion and consistency proofs taken from the tiles. It never takes a tile at its word: older versions of
// tlog.TileHashReader accept some that were altered.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of a tile: 256 hashes
const width = 1 << height

// A storedLog is a log's folder.
type storedLog struct{ root string }

func (l storedLog) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(l.root, filepath.FromSlash(path)))
}

// tilePath drops the height from the path that Go's checksum database would use.
func tilePath(t tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
}

// bundlePath is that of the entries beside a tile of level 0.
func bundlePath(t tlog.Tile) string {
	return "tile/entries/" + strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/0/", height))
}

// Height, ReadTiles and SaveTiles let tlog read proofs from the folder.
func (l storedLog) Height() int { return height }

func (l storedLog) SaveTiles([]tlog.Tile, [][]byte) {}

func (l storedLog) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := l.read(tilePath(t))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// openCheckpoint checks the signature and returns what was signed.
func openCheckpoint(l storedLog, vkeyFile string) (tlog.Tree, error) {
	vkey, err := os.ReadFile(vkeyFile)
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := l.read("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: not of %s, or not three lines", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// readEntries returns every entry of the log, in order.
func readEntries(l storedLog, size int64) ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); n*width < size; n++ {
		t := tlog.Tile{H: height, L: 0, N: n, W: widthOf(size, n)}
		data, err := l.read(bundlePath(t))
		if err != nil {
			return nil, err
		}
		for i := 0; i < t.W; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: entry %d is cut short", bundlePath(t), i)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("%s: more behind the last entry", bundlePath(t))
		}
	}
	return entries, nil
}

func widthOf(count, n int64) int {
	if left := count - n*width; left < width {
		return int(left)
	}
	return width
}

// hashTree computes every hash of the tree from the entries alone.
func hashTree(entries [][]byte) (tlog.HashReader, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i, entry := range entries {
		more, err := tlog.StoredHashes(int64(i), entry, reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	return reader, nil
}

// compareTiles holds every tile of the folder against the hashes of the entries.
func compareTiles(l storedLog, size int64, hashes tlog.HashReader) (int, error) {
	compared := 0
	for level, count := 0, size; count > 0; level, count = level+1, count/width {
		for n := int64(0); n*width < count; n++ {
			t := tlog.Tile{H: height, L: level, N: n, W: widthOf(count, n)}
			want, err := tlog.ReadTileData(t, hashes)
			if err != nil {
				return compared, err
			}
			got, err := l.read(tilePath(t))
			if err != nil {
				return compared, err
			}
			if string(got) != string(want) {
				return compared, fmt.Errorf("%s: not the hashes of what is below it", tilePath(t))
			}
			compared++
		}
	}
	return compared, nil
}

// checkProofs takes proofs from the tiles and checks them against the signed root.
func checkProofs(l storedLog, tree tlog.Tree, entries [][]byte, hashes tlog.HashReader) error {
	stored := tlog.TileHashReader(tree, l)
	for index := int64(0); index < tree.N; index++ {
		if index%997 != 0 && index != tree.N-1 {
			continue
		}
		proof, err := tlog.ProveRecord(tree.N, index, stored)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entries[index])); err != nil {
			return fmt.Errorf("entry %d: %v", index, err)
		}
	}
	for _, old := range []int64{1, tree.N/2 + 1, tree.N} {
		root, err := tlog.TreeHash(old, hashes)
		if err != nil {
			return err
		}
		if err := checkContinues(tree, old, root, stored); err != nil {
			return err
		}
	}
	return nil
}

func checkContinues(tree tlog.Tree, old int64, root tlog.Hash, stored tlog.HashReader) error {
	proof, err := tlog.ProveTree(tree.N, old, stored)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, root); err != nil {
		return fmt.Errorf("does not continue %d entries: %v", old, err)
	}
	return nil
}

func check(args []string) error {
	if len(args) != 2 && len(args) != 4 {
		return fmt.Errorf("usage: verify_log LOGDIR VKEYFILE [OLDSIZE OLDROOT]")
	}
	l := storedLog{args[0]}
	tree, err := openCheckpoint(l, args[1])
	if err != nil {
		return err
	}
	entries, err := readEntries(l, tree.N)
	if err != nil {
		return err
	}
	hashes, err := hashTree(entries)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the entries have root %v, signed was %v", root, tree.Hash)
	}
	tiles, err := compareTiles(l, tree.N, hashes)
	if err != nil {
		return err
	}
	if err := checkProofs(l, tree, entries, hashes); err != nil {
		return err
	}
	if len(args) == 4 {
		if err := checkOlder(l, tree, args[2], args[3]); err != nil {
			return err
		}
	}
	fmt.Printf("OK %d entries, %d tiles, root %v\n", tree.N, tiles, tree.Hash)
	return nil
}

func checkOlder(l storedLog, tree tlog.Tree, size, root string) error {
	old, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return err
	}
	hash, err := tlog.ParseHash(root)
	if err != nil {
		return err
	}
	return checkContinues(tree, old, hash, tlog.TileHashReader(tree, l))
}

func main() {
	if err := check(os.Args[1:]); err != nil {
		fmt.Println("REFUSED", err)
		os.Exit(1)
	}
}
