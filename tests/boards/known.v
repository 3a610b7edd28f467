// One block per kind of resource, so that every count can be told by reading.
module top(input clk, input we, input [9:0] addr, input [35:0] d, input [3:0] g,
           output [7:0] q, output [15:0] r, output [35:0] p, output [7:0] s, output t,
           output [3:0] n);
  flops flops (.clk(clk), .d(d[7:0]), .q(q));
  ram ram (.clk(clk), .we(we), .addr(addr), .d(d[15:0]), .r(r));
  product product (.clk(clk), .a(d[17:0]), .b(d[35:18]), .p(p));
  sum sum (.a(d[7:0]), .b(d[15:8]), .s(s));
  wire [7:0] unread;
  narrow narrow (.clk(clk), .d(d[7:0]), .q(unread));  // four of its eight bits leave the chip
  assign n = unread[3:0];
  assign t = ^g;  // glue: one LUT
endmodule

module flops(input clk, input [7:0] d, output reg [7:0] q);
  reg [7:0] first;
  always @(posedge clk) begin
    first <= d;
    q <= first;
  end
endmodule

module narrow(input clk, input [7:0] d, output reg [7:0] q);
  always @(posedge clk) q <= ~d;
endmodule

module ram(input clk, input we, input [9:0] addr, input [15:0] d, output reg [15:0] r);
  reg [15:0] words [0:1023];
  always @(posedge clk) begin
    if (we) words[addr] <= d;
    else r <= words[addr];
  end
endmodule

module product(input clk, input signed [17:0] a, input signed [17:0] b, output reg [35:0] p);
  wire signed [35:0] exact;
  product_core core (.a(a), .b(b), .p(exact));
  always @(posedge clk) p <= exact;
endmodule

module product_core(input signed [17:0] a, input signed [17:0] b, output signed [35:0] p);
  assign p = a * b;
endmodule

module sum(input [7:0] a, input [7:0] b, output [7:0] s);
  assign s = a + b;
endmodule
