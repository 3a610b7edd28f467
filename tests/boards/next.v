// The smallest design with the ports of a generated one: 8 bits in, the next number out.
module top(input clk, input rst, input [7:0] i__payload, input i__valid, output i__ready,
           output reg [7:0] o__payload, output reg o__valid, input o__ready);
  assign i__ready = !o__valid || o__ready;
  always @(posedge clk) begin
    if (i__ready) o__payload <= i__payload + 1;
    if (i__ready) o__valid <= i__valid;
    if (rst) o__valid <= 0;
  end
endmodule
