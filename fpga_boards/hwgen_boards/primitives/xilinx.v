// Structures of hwgen_rtl.primitives for devices of Xilinx with 6-input LUTs: 7 series and later.
// Parameter X_WIDTH is the width of port x.
//
// A LUT6_2 with I5 = 1 gives two functions of I0 to I4: O6 (upper half of INIT) and O5 (lower half).
// A position of a carry chain takes both: S = O6 (propagate) and DI = O5, or the slice's bypass pin.
// So each LUT6_2 here is one LUT site, and its carry comes with it.

// Sum and carry of a chain of WIDTH positions: CO = S ? CI : DI, O = S ^ CI.
module hwgen_carry #(parameter WIDTH = 1) (
    input ci,
    input [WIDTH-1:0] s, di,
    output [WIDTH-1:0] o, co
);
    localparam CELLS = (WIDTH + 3) / 4;
    wire [4*CELLS-1:0] all_s = s, all_di = di, all_o, all_co;
    genvar n;
    generate
        for (n = 0; n < CELLS; n = n + 1) begin : cell4
            if (n == 0)
                CARRY4 carry (.CYINIT(ci), .CI(1'b0), .S(all_s[3:0]), .DI(all_di[3:0]),
                              .O(all_o[3:0]), .CO(all_co[3:0]));
            else
                CARRY4 carry (.CYINIT(1'b0), .CI(all_co[4*n-1]), .S(all_s[4*n+:4]),
                              .DI(all_di[4*n+:4]), .O(all_o[4*n+:4]), .CO(all_co[4*n+:4]));
        end
    endgenerate
    assign o = all_o[WIDTH-1:0];
    assign co = all_co[WIDTH-1:0];
endmodule

// o = a + b + c modulo 2**O_WIDTH. A bit's LUT gives a ^ b ^ c ^ k to the chain and the majority of a, b
// and c to the LUT of the next bit, whose k it is: a + b + c = (a ^ b ^ c) + 2 majority(a, b, c).
module hwgen_ternary_adder #(parameter A_WIDTH = 1, B_WIDTH = 1, C_WIDTH = 1, O_WIDTH = 1) (
    input [A_WIDTH-1:0] a,
    input [B_WIDTH-1:0] b,
    input [C_WIDTH-1:0] c,
    output [O_WIDTH-1:0] o
);
    localparam AB = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;
    localparam WIDEST = AB > C_WIDTH ? AB : C_WIDTH;
    // above the widest operand stands the last majority alone, and then the carry of the chain
    localparam WIDTH = O_WIDTH > WIDEST ? WIDEST + 1 : O_WIDTH;
    wire [WIDTH-1:0] wide_a = a, wide_b = b, wide_c = c, s, sum, carry;
    wire [WIDTH:0] k;
    assign k[0] = 1'b0;
    genvar n;
    generate
        for (n = 0; n < WIDTH; n = n + 1) begin : bits
            LUT6_2 #(.INIT(64'h69966996_e8e8e8e8)) add (
                .I0(wide_a[n]), .I1(wide_b[n]), .I2(wide_c[n]), .I3(k[n]), .I4(1'b0), .I5(1'b1),
                .O6(s[n]), .O5(k[n+1]));
        end
    endgenerate
    hwgen_carry #(.WIDTH(WIDTH)) chain (.ci(1'b0), .s(s), .di(k[WIDTH-1:0]), .o(sum), .co(carry));
    generate
        if (O_WIDTH > WIDTH) assign o = {carry[WIDTH-1], sum};
        else assign o = sum;
    endgenerate
endmodule

// o = enable & (x >= w), two bits a LUT: a pair propagates where it is equal, else x > w decides.
// The last LUT takes ``enable``.
module hwgen_reached #(parameter BITS = 1) (
    input enable,
    input [BITS-1:0] x, w,
    output o
);
    localparam PAIRS = (BITS + 1) / 2;
    wire [2*PAIRS-1:0] wide_x = x, wide_w = w;
    wire [PAIRS-1:0] s, di, co;
    genvar n;
    generate
        for (n = 0; n < PAIRS; n = n + 1) begin : pairs
            LUT6_2 #(.INIT(n < PAIRS - 1 ? 64'h84218421_08ce08ce : 64'h84210000_08ce0000))
            compare (
                .I0(wide_x[2*n]), .I1(wide_x[2*n+1]), .I2(wide_w[2*n]), .I3(wide_w[2*n+1]),
                .I4(n < PAIRS - 1 ? 1'b0 : enable), .I5(1'b1), .O6(s[n]), .O5(di[n]));
        end
    endgenerate
    hwgen_carry #(.WIDTH(PAIRS)) chain (.ci(1'b1), .s(s), .di(di), .o(), .co(co));
    assign o = co[PAIRS-1];
endmodule

// See hwgen_rtl.primitives.MinimumPair. A reset of these flip-flops goes before their enable, so the
// comparison that resets them is 0 without it.
module hwgen_minimum_pair #(parameter X0_WIDTH = 1) (
    input clk, rst, enable,
    input [X0_WIDTH-1:0] x0, w0, x1, w1, late,
    output [X0_WIDTH:0] o
);
    localparam BITS = X0_WIDTH;
    wire reached, less, reached1, smaller;
    wire [BITS-1:0] kept_x, kept_w, held, s, di, sum, carry;
    hwgen_reached #(.BITS(BITS)) compare0 (.enable(enable), .x(x0), .w(w0), .o(reached));
    hwgen_reached #(.BITS(BITS)) compare1 (.enable(1'b1), .x(x1), .w(w1), .o(reached1));
    LUT2 #(.INIT(4'h2)) other (.I0(enable), .I1(reached), .O(less));
    FDRE choose (.C(clk), .CE(enable), .R(1'b0), .D(reached1), .Q(smaller));
    genvar n;
    generate
        for (n = 0; n < BITS; n = n + 1) begin : bits
            FDRE keep_x (.C(clk), .CE(enable), .R(reached), .D(x0[n]), .Q(kept_x[n]));
            FDRE keep_w (.C(clk), .CE(enable), .R(less), .D(w0[n]), .Q(kept_w[n]));
            FDRE hold_w (.C(clk), .CE(enable), .R(1'b0), .D(w1[n]), .Q(held[n]));
            // (I0 | I1) + (I4 ? I3 : I2)
            LUT6_2 #(.INIT(64'h11ee1e1e_eeeeeeee)) add (
                .I0(kept_x[n]), .I1(kept_w[n]), .I2(late[n]), .I3(held[n]), .I4(smaller),
                .I5(1'b1), .O6(s[n]), .O5(di[n]));
            FDRE result (.C(clk), .CE(enable), .R(1'b0), .D(sum[n]), .Q(o[n]));
        end
    endgenerate
    hwgen_carry #(.WIDTH(BITS)) chain (.ci(1'b0), .s(s), .di(di), .o(sum), .co(carry));
    FDRE top (.C(clk), .CE(enable), .R(1'b0), .D(carry[BITS-1]), .Q(o[BITS]));
endmodule

// See hwgen_rtl.primitives.Minimum: two bits of the choice a LUT.
module hwgen_minimum #(parameter X_WIDTH = 1) (
    input clk, rst, enable,
    input [X_WIDTH-1:0] x, w, late,
    output [X_WIDTH-1:0] o
);
    localparam BITS = X_WIDTH;
    localparam PAIRS = (BITS + 1) / 2;
    wire reached, smaller;
    wire [BITS-1:0] held;
    wire [2*PAIRS-1:0] wide_w = held, wide_x = late, least;
    hwgen_reached #(.BITS(BITS)) compare (.enable(1'b1), .x(x), .w(w), .o(reached));
    FDRE choose (.C(clk), .CE(enable), .R(1'b0), .D(reached), .Q(smaller));
    genvar n;
    generate
        for (n = 0; n < BITS; n = n + 1) begin : bits
            FDRE hold_w (.C(clk), .CE(enable), .R(1'b0), .D(w[n]), .Q(held[n]));
            FDRE result (.C(clk), .CE(enable), .R(1'b0), .D(least[n]), .Q(o[n]));
        end
        for (n = 0; n < PAIRS; n = n + 1) begin : pairs
            LUT6_2 #(.INIT(64'hff00f0f0_ccccaaaa)) choice (
                .I0(wide_x[2*n]), .I1(wide_w[2*n]), .I2(wide_x[2*n+1]), .I3(wide_w[2*n+1]),
                .I4(smaller), .I5(1'b1), .O6(least[2*n+1]), .O5(least[2*n]));
        end
    endgenerate
endmodule
