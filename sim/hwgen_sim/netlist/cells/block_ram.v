// Block RAM of any family, from which the models of its cells are made.

// Parameters with the contents of a cell, whose names end in 0 to 7, 0 to F, 00 to 3F or, UPPER, 40 to
// 7F: as a declaration, and joined with the last one on top.
`define HWGEN_ZEROS_8(P) P``0 = 0, P``1 = 0, P``2 = 0, P``3 = 0, P``4 = 0, P``5 = 0, P``6 = 0, P``7 = 0
`define HWGEN_ZEROS_16(P) `HWGEN_ZEROS_8(P), P``8 = 0, P``9 = 0, P``A = 0, P``B = 0, P``C = 0, \
  P``D = 0, P``E = 0, P``F = 0
`define HWGEN_ZEROS(P) `HWGEN_ZEROS_16(P``0), `HWGEN_ZEROS_16(P``1), `HWGEN_ZEROS_16(P``2), \
  `HWGEN_ZEROS_16(P``3)
`define HWGEN_UPPER_ZEROS(P) `HWGEN_ZEROS_16(P``4), `HWGEN_ZEROS_16(P``5), `HWGEN_ZEROS_16(P``6), \
  `HWGEN_ZEROS_16(P``7)
`define HWGEN_JOINED_8(P) {P``7, P``6, P``5, P``4, P``3, P``2, P``1, P``0}
`define HWGEN_JOINED_16(P) {P``F, P``E, P``D, P``C, P``B, P``A, P``9, P``8, `HWGEN_JOINED_8(P)}
`define HWGEN_JOINED(P) {`HWGEN_JOINED_16(P``3), `HWGEN_JOINED_16(P``2), `HWGEN_JOINED_16(P``1), \
  `HWGEN_JOINED_16(P``0)}
`define HWGEN_UPPER_JOINED(P) {`HWGEN_JOINED_16(P``7), `HWGEN_JOINED_16(P``6), \
  `HWGEN_JOINED_16(P``5), `HWGEN_JOINED_16(P``4)}

// BYTES bytes of 9 bits with two ports, 1 (B) and 0 (A), which see what the memory held before the
// edge. A port is 1, 2, 4, 9, 18, 36 or 72 bits wide, 0 where it does not exist; those below 9 do
// not reach the ninth bits. Addresses count bits without the ninth ones, whatever the width.
//
// IMAGE holds two bytes in every SLOT bits, the second one LANE bits above the first; where LANE
// is 8 their ninth bits are in NINTHS.
// MODE, what a port reads while it writes: 0 nothing, its output stays; 1 new data; 2 old data.
// RESET: 0 at the clock; 1 at the clock, where the port is on; 2 asynchronous. An output begins with
// FIRST and holds CLEAR after a reset.
module hwgen_block_ram #(
  parameter BYTES = 2048, SLOT = 18, LANE = 9,
  parameter [SLOT*BYTES/2-1:0] IMAGE = 0,
  parameter [BYTES-1:0] NINTHS = 0,
  parameter READ_A = 0, READ_B = 0, WRITE_A = 0, WRITE_B = 0,
  parameter MODE_A = 2, MODE_B = 2, RESET_A = 0, RESET_B = 0,
  parameter [71:0] FIRST_A = 0, FIRST_B = 0, CLEAR_A = 0, CLEAR_B = 0
) (
  input [1:0] clk, on, writing, reset,
  input [2*15-1:0] address,
  input [2*72-1:0] data,
  input [2*8-1:0] enables,  // of the bytes that are written
  output [2*72-1:0] q
);
  reg [8:0] bytes[0:BYTES-1];
  integer k;
  initial for (k = 0; k < BYTES; k = k + 1)
    bytes[k] = {
      LANE == 8 ? NINTHS[k] : IMAGE[SLOT*(k/2) + LANE*(k%2) + 8],
      IMAGE[SLOT*(k/2) + LANE*(k%2) +: 8]
    };

  genvar p, j;
  generate for (p = 0; p < 2; p = p + 1) begin : port
    localparam READ = p ? READ_B : READ_A;
    localparam WRITE = p ? WRITE_B : WRITE_A;
    localparam MODE = p ? MODE_B : MODE_A;
    localparam RESET = p ? RESET_B : RESET_A;
    localparam [71:0] FIRST = p ? FIRST_B : FIRST_A;
    localparam [71:0] CLEAR = p ? CLEAR_B : CLEAR_A;
    localparam READS = READ < 9 ? 1 : READ / 9;  // bytes
    localparam WRITES = WRITE < 9 ? 1 : WRITE / 9;

    wire [14:0] a = address[15*p +: 15];
    wire [11:0] from = a[14:3] & ~(READS - 1);
    wire [11:0] to = a[14:3] & ~(WRITES - 1);
    wire [2:0] from_bit = READ < 9 ? a[2:0] & ~(READ - 1) : 0;
    wire [2:0] to_bit = WRITE < 9 ? a[2:0] & ~(WRITE - 1) : 0;
    wire [8:0] mask = WRITE < 9 ? ((1 << WRITE) - 1) << to_bit : 9'h1FF;
    wire writes = on[p] && writing[p] && WRITE != 0;

    wire [9*WRITES-1:0] after;  // the bytes at `to`, once written
    for (j = 0; j < WRITES; j = j + 1) begin : lane
      wire [8:0] bits = enables[8*p + j] ? mask : 9'd0;
      wire [8:0] value = data[72*p + 9*j +: 9] << to_bit;
      assign after[9*j +: 9] = bytes[to + j] & ~bits | value & bits;
      always @(posedge clk[p]) if (writes) bytes[to + j] <= after[9*j +: 9];
    end

    wire [9*READS-1:0] seen;
    for (j = 0; j < READS; j = j + 1) begin : read
      wire [11:0] place = from + j - to;  // among the written ones
      wire fresh = MODE == 1 && writes && place < WRITES;
      assign seen[9*j +: 9] = fresh ? after[9*place +: 9] : bytes[from + j];
    end

    reg [71:0] value = FIRST;
    wire [71:0] next = READ < 9 ? (seen >> from_bit) & ((1 << READ) - 1) : seen;
    wire keeps = MODE == 0 && writing[p];
    if (RESET == 2) begin
      always @(posedge clk[p] or posedge reset[p])
        if (reset[p]) value <= CLEAR; else if (on[p] && !keeps) value <= next;
    end else begin
      always @(posedge clk[p])
        if (reset[p] && (on[p] || RESET == 0)) value <= CLEAR;
        else if (on[p] && !keeps) value <= next;
    end
    assign q[72*p +: 72] = value;
  end endgenerate
endmodule
