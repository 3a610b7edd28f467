// A design with the shape of a generated one: streams with backpressure, nested instances, an
// instance named by a keyword, odd widths. It misbehaves on purpose where channel 0 of a pixel is
//   -128 : the first stage never takes another beat       -127 : channel 1 comes out one too high
//   -126 : the last stage sends its result twice
// (3, 4, 5) int8 -> scale: y = 3*x + 7, int19 -> narrow: one lane -> total: (sum, largest) int40

module scale(
  input clk, input rst,
  input [23:0] i__payload, input i__valid, output i__ready,
  output reg [56:0] o__payload, output reg o__valid, input o__ready
);
  reg stopped = 0;
  wire [7:0] first = i__payload[7:0];
  wire advance = !o__valid || o__ready;
  assign i__ready = advance && !stopped;
  function [18:0] lane(input signed [7:0] x);
    lane = 3 * $signed({{11{x[7]}}, x}) + 7;
  endfunction
  always @(posedge clk)
    if (rst) o__valid <= 0;
    else if (advance) begin
      o__valid <= i__valid && !stopped;
      o__payload[18:0] <= lane(first);
      o__payload[37:19] <= lane(i__payload[15:8]) + (first == 8'h81);
      o__payload[56:38] <= lane(i__payload[23:16]);
      if (i__valid && first == 8'h80) stopped <= 1;
    end
endmodule

module narrow(
  input clk, input rst,
  input [56:0] i__payload, input i__valid, output i__ready,
  output [18:0] o__payload, output o__valid, input o__ready
);
  reg [56:0] held;
  reg [1:0] left;
  assign o__valid = left != 0;
  assign o__payload = held[18:0];
  assign i__ready = left == 0 || (left == 1 && o__ready);
  always @(posedge clk)
    if (rst) left <= 0;
    else if (i__ready && i__valid) begin held <= i__payload; left <= 3; end
    else if (o__valid && o__ready) begin held <= held >> 19; left <= left - 1; end
endmodule

module total(
  input clk, input rst,
  input [18:0] i__payload, input i__valid, output i__ready,
  output reg [79:0] o__payload, output o__valid, input o__ready
);
  localparam signed [18:0] TWICE = 3 * -126 + 7;
  reg [1:0] copies;
  reg twice;
  reg [5:0] count;
  reg signed [39:0] sum, top;
  wire signed [39:0] x = {{21{i__payload[18]}}, i__payload};
  wire signed [39:0] larger = (count == 0 || x > top) ? x : top;
  wire again = count % 3 == 0 && $signed(i__payload) == TWICE;
  assign o__valid = copies != 0;
  assign i__ready = copies == 0;
  always @(posedge clk)
    if (rst) begin copies <= 0; count <= 0; twice <= 0; sum <= 0; end
    else if (o__valid) copies <= copies - o__ready;
    else if (i__valid) begin
      count <= count == 59 ? 0 : count + 1;
      sum <= count == 59 ? 0 : sum + x;
      top <= larger;
      twice <= count == 59 ? 0 : twice || again;
      if (count == 59) begin
        copies <= (twice || again) ? 2 : 1;
        o__payload <= {larger, sum + x};
      end
    end
endmodule

module tail(
  input clk, input rst,
  input [56:0] i__payload, input i__valid, output i__ready,
  output [79:0] o__payload, output o__valid, input o__ready
);
  wire [18:0] payload;
  wire valid, ready;
  narrow narrow(clk, rst, i__payload, i__valid, i__ready, payload, valid, ready);
  total total(clk, rst, payload, valid, ready, o__payload, o__valid, o__ready);
endmodule

module top(
  input clk, input rst,
  input [23:0] i__payload, input i__valid, output i__ready,
  output [79:0] o__payload, output o__valid, input o__ready
);
  wire [56:0] payload;
  wire valid, ready;
  scale \buf (clk, rst, i__payload, i__valid, i__ready, payload, valid, ready);
  tail tail(clk, rst, payload, valid, ready, o__payload, o__valid, o__ready);
endmodule
