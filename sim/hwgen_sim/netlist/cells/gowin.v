// Cells of Gowin devices for which Yosys has no simulation model, in the modes that it maps to.

// 2048 bytes of 9 bits with a port to write and one to read, each of 1, 2 or 4 bytes. Where 2 or 4
// bytes are written, the lowest address bits are byte enables.
module hwgen_gowin_ram #(
  parameter READ_MODE = 0, W_WIDTH = 36, R_WIDTH = 36, RESET_MODE = "SYNC",
  parameter [2048*9-1:0] IMAGE = 0
) (
  input w_clk, w_on,
  input [13:0] w_address,
  input [35:0] w_data,
  input r_clk, r_on,
  input [13:0] r_address,
  output [35:0] r_data,
  input reset
);
  if (READ_MODE != 0) $fatal(1, "Block RAM of Gowin is modelled without output registers");

  // words of 4 bytes
  reg [35:0] words[0:511];
  integer k;
  initial for (k = 0; k < 512; k = k + 1) words[k] = IMAGE[36*k +: 36];

  // lowest bit of a port's data in its word
  function [5:0] place(input integer width, input [4:0] a);
    case (width)
      9: place = 9 * a[4:3];
      18: place = 18 * a[4];
      default: place = 0;
    endcase
  endfunction

  function [35:0] enabled(input integer width, input [3:0] a);
    case (width)
      36: enabled = {{9{a[3]}}, {9{a[2]}}, {9{a[1]}}, {9{a[0]}}};
      18: enabled = {{9{a[1]}}, {9{a[0]}}};
      default: enabled = (1 << width) - 1;
    endcase
  endfunction

  wire [5:0] w_place = place(W_WIDTH, w_address[4:0]);
  wire [35:0] w_bits = enabled(W_WIDTH, w_address[3:0]) << w_place;
  always @(posedge w_clk) if (w_on)
    words[w_address[13:5]] <= words[w_address[13:5]] & ~w_bits | (w_data << w_place) & w_bits;

  reg [35:0] q;
  wire [35:0] seen = words[r_address[13:5]] >> place(R_WIDTH, r_address[4:0]);
  if (RESET_MODE == "ASYNC") begin
    always @(posedge r_clk or posedge reset) if (reset) q <= 0; else if (r_on) q <= seen;
  end else begin
    always @(posedge r_clk) if (reset) q <= 0; else if (r_on) q <= seen;
  end
  assign r_data = q;
endmodule

module SPX9 (
  output [35:0] DO,
  input [35:0] DI,
  input [2:0] BLKSEL,
  input [13:0] AD,
  input WRE, CLK, CE, OCE, RESET
);
  parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 36, BLK_SEL = 0, RESET_MODE = "SYNC";
  parameter [287:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0,
    INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0,
    INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0,
    INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0,
    INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
    INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0,
    INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0,
    INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0,
    INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0,
    INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0,
    INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
    INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0,
    INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

  if (WRITE_MODE == 1) $fatal(1, "SPX9 is modelled without WRITE_MODE 1");
  hwgen_gowin_ram #(
    .READ_MODE(READ_MODE), .W_WIDTH(BIT_WIDTH), .R_WIDTH(BIT_WIDTH),
    .RESET_MODE(RESET_MODE), .IMAGE({
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
    INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
    INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
    INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
    INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
    INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
    INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
    INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
    INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
    INIT_RAM_00
    })
  ) ram (
    .w_clk(CLK), .w_on(CE & WRE), .w_address(AD), .w_data(DI),
    .r_clk(CLK), .r_on(CE & ~(WRE && WRITE_MODE == 0)), .r_address(AD), .r_data(DO), .reset(RESET)
  );
endmodule

module SDPX9B (
  output [35:0] DO,
  input [35:0] DI,
  input [2:0] BLKSELA, BLKSELB,
  input [13:0] ADA, ADB,
  input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB
);
  parameter READ_MODE = 0, BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36;
  parameter BLK_SEL_0 = 0, BLK_SEL_1 = 0, RESET_MODE = "SYNC";
  parameter [287:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0,
    INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0,
    INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0,
    INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0,
    INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
    INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0,
    INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0,
    INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0,
    INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0,
    INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0,
    INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
    INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0,
    INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

  hwgen_gowin_ram #(
    .READ_MODE(READ_MODE), .W_WIDTH(BIT_WIDTH_0), .R_WIDTH(BIT_WIDTH_1),
    .RESET_MODE(RESET_MODE), .IMAGE({
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
    INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
    INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
    INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
    INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
    INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
    INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
    INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
    INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
    INIT_RAM_00
    })
  ) ram (
    .w_clk(CLKA), .w_on(CEA), .w_address(ADA), .w_data(DI),
    .r_clk(CLKB), .r_on(CEB), .r_address(ADB), .r_data(DO), .reset(RESETB)
  );
endmodule

// Products of two numbers, each signed or not, without registers.
module MULT9X9 (
  output [17:0] DOUT,
  output [8:0] SOA, SOB,
  input [8:0] A, SIA, B, SIB,
  input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET
);
  parameter AREG = 0, BREG = 0, OUT_REG = 0, PIPE_REG = 0, ASIGN_REG = 0, BSIGN_REG = 0;
  parameter SOA_REG = 0, MULT_RESET_MODE = "SYNC";

  if (AREG || BREG || OUT_REG || PIPE_REG || ASIGN_REG || BSIGN_REG)
    $fatal(1, "MULT9X9 is modelled without registers");

  wire signed [9:0] a = {ASIGN & A[8], A};
  wire signed [9:0] b = {BSIGN & B[8], B};
  wire signed [19:0] product = a * b;
  assign DOUT = product[17:0];
endmodule

module MULT18X18 (
  output [35:0] DOUT,
  output [17:0] SOA, SOB,
  input [17:0] A, SIA, B, SIB,
  input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET
);
  parameter AREG = 0, BREG = 0, OUT_REG = 0, PIPE_REG = 0, ASIGN_REG = 0, BSIGN_REG = 0;
  parameter SOA_REG = 0, MULT_RESET_MODE = "SYNC";

  if (AREG || BREG || OUT_REG || PIPE_REG || ASIGN_REG || BSIGN_REG)
    $fatal(1, "MULT18X18 is modelled without registers");

  wire signed [18:0] a = {ASIGN & A[17], A};
  wire signed [18:0] b = {BSIGN & B[17], B};
  wire signed [37:0] product = a * b;
  assign DOUT = product[35:0];
endmodule
