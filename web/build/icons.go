package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
)

// The icon is web/static/icon.svg, a key that hangs on a peg. This file draws it as PNG, from
// the same numbers.

var (
	ground = color.RGBA{0x15, 0x55, 0x7f, 0xff}
	ink    = color.RGBA{0xff, 0xff, 0xff, 0xff}
)

const (
	side   = 64.0 // of the drawing
	corner = 14.0
	stroke = 5.0
)

// distance returns how far a point is from the middle of the nearest stroke.
func distance(x, y float64) float64 {
	nearest := math.Abs(math.Hypot(x-32, y-24) - 8.5) // the key's bow
	for _, line := range [][4]float64{
		{16, 13, 48, 13},   // the peg
		{32, 32.5, 32, 52}, // the key's shank
		{32, 44, 40, 44},   // its teeth
		{32, 51, 38, 51},
	} {
		nearest = min(nearest, toSegment(x, y, line))
	}
	return nearest
}

func toSegment(x, y float64, s [4]float64) float64 {
	dx, dy := s[2]-s[0], s[3]-s[1]
	t := ((x-s[0])*dx + (y-s[1])*dy) / (dx*dx + dy*dy)
	t = min(max(t, 0), 1)
	return math.Hypot(x-s[0]-t*dx, y-s[1]-t*dy)
}

// draw draws the icon. Scale makes the key smaller within the square, for masks that cut off
// everything beyond 80 % of it. Full fills the corners too.
func draw(pixels int, scale float64, full bool) image.Image {
	const samples = 4
	picture := image.NewNRGBA(image.Rect(0, 0, pixels, pixels))
	for py := range pixels {
		for px := range pixels {
			var inside, inked int
			for i := range samples * samples {
				x := (float64(px) + (float64(i%samples)+0.5)/samples) / float64(pixels) * side
				y := (float64(py) + (float64(i/samples)+0.5)/samples) / float64(pixels) * side
				if !full && !inRounded(x, y) {
					continue
				}
				inside++
				if distance((x-side/2)/scale+side/2, (y-side/2)/scale+side/2) <= stroke/2 {
					inked++
				}
			}
			picture.SetNRGBA(px, py, blend(inside, inked, samples*samples))
		}
	}
	return picture
}

func inRounded(x, y float64) bool {
	dx := max(corner-x, x-(side-corner), 0)
	dy := max(corner-y, y-(side-corner), 0)
	return math.Hypot(dx, dy) <= corner
}

func blend(inside, inked, of int) color.NRGBA {
	if inside == 0 {
		return color.NRGBA{}
	}
	mix := func(a, b uint8) uint8 { return uint8((int(a)*(inside-inked) + int(b)*inked) / inside) }
	return color.NRGBA{mix(ground.R, ink.R), mix(ground.G, ink.G), mix(ground.B, ink.B), uint8(255 * inside / of)}
}

func drawIcons() error {
	for _, icon := range []struct {
		name   string
		pixels int
		scale  float64
		full   bool
	}{
		{"icon-192.png", 192, 1, false},
		{"icon-512.png", 512, 1, false},
		{"icon-maskable-512.png", 512, 0.8, true},
		{"icon-apple-180.png", 180, 0.9, true},
	} {
		var b bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestCompression}
		if err := encoder.Encode(&b, draw(icon.pixels, icon.scale, icon.full)); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(source, icon.name), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
