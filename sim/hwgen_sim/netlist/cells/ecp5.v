// Cells of the ECP5 for which Yosys has no simulation model, in the modes that it maps to.

// Block RAM of 1024 words of 18 bits, read and written through two ports of 1 to 36 bits. Widths
// below 9 leave each ninth bit out. A port of 36 bits has the upper half of its data at port B.
module DP16KD (
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter GSR = "ENABLED", WID = 0, INIT_DATA = "STATIC";
  parameter [319:0] INITVAL_00 = 320'd0, INITVAL_01 = 320'd0, INITVAL_02 = 320'd0,
    INITVAL_03 = 320'd0, INITVAL_04 = 320'd0, INITVAL_05 = 320'd0, INITVAL_06 = 320'd0,
    INITVAL_07 = 320'd0, INITVAL_08 = 320'd0, INITVAL_09 = 320'd0, INITVAL_0A = 320'd0,
    INITVAL_0B = 320'd0, INITVAL_0C = 320'd0, INITVAL_0D = 320'd0, INITVAL_0E = 320'd0,
    INITVAL_0F = 320'd0, INITVAL_10 = 320'd0, INITVAL_11 = 320'd0, INITVAL_12 = 320'd0,
    INITVAL_13 = 320'd0, INITVAL_14 = 320'd0, INITVAL_15 = 320'd0, INITVAL_16 = 320'd0,
    INITVAL_17 = 320'd0, INITVAL_18 = 320'd0, INITVAL_19 = 320'd0, INITVAL_1A = 320'd0,
    INITVAL_1B = 320'd0, INITVAL_1C = 320'd0, INITVAL_1D = 320'd0, INITVAL_1E = 320'd0,
    INITVAL_1F = 320'd0, INITVAL_20 = 320'd0, INITVAL_21 = 320'd0, INITVAL_22 = 320'd0,
    INITVAL_23 = 320'd0, INITVAL_24 = 320'd0, INITVAL_25 = 320'd0, INITVAL_26 = 320'd0,
    INITVAL_27 = 320'd0, INITVAL_28 = 320'd0, INITVAL_29 = 320'd0, INITVAL_2A = 320'd0,
    INITVAL_2B = 320'd0, INITVAL_2C = 320'd0, INITVAL_2D = 320'd0, INITVAL_2E = 320'd0,
    INITVAL_2F = 320'd0, INITVAL_30 = 320'd0, INITVAL_31 = 320'd0, INITVAL_32 = 320'd0,
    INITVAL_33 = 320'd0, INITVAL_34 = 320'd0, INITVAL_35 = 320'd0, INITVAL_36 = 320'd0,
    INITVAL_37 = 320'd0, INITVAL_38 = 320'd0, INITVAL_39 = 320'd0, INITVAL_3A = 320'd0,
    INITVAL_3B = 320'd0, INITVAL_3C = 320'd0, INITVAL_3D = 320'd0, INITVAL_3E = 320'd0,
    INITVAL_3F = 320'd0;

  if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG")
    $fatal(1, "DP16KD is modelled without output registers");
  if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000")
    $fatal(1, "DP16KD is modelled for CSDECODE 0b000");

  localparam [64*320-1:0] IMAGE = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
    INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32,
    INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B,
    INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24,
    INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D,
    INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
    INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F,
    INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
    INITVAL_00
  };

  reg [17:0] words[0:1023];
  integer k;
  initial for (k = 0; k < 1024; k = k + 1) words[k] = IMAGE[20*k +: 18];

  // lowest bit of a port's data among the 18 of its word
  function [4:0] place(input integer width, input [3:0] a);
    case (width)
      1: place = 9 * a[3] + a[2:0];
      2: place = 9 * a[3] + 2 * a[2:1];
      4: place = 9 * a[3] + 4 * a[2];
      9: place = 9 * a[3];
      default: place = 0;
    endcase
  endfunction

  function [35:0] mask(input integer width);
    mask = (36'd1 << width) - 36'd1;
  endfunction

  // bytes that a write changes; wide ports take enables in place of their lowest address bits
  function [35:0] enabled(input integer width, input [3:0] a);
    case (width)
      36: enabled = {{9{a[3]}}, {9{a[2]}}, {9{a[1]}}, {9{a[0]}}};
      18: enabled = {18'd0, {9{a[1]}}, {9{a[0]}}};
      default: enabled = mask(width) << place(width, a);
    endcase
  endfunction

  wire clk_a = CLKAMUX == "INV" ? ~CLKA : CLKA;
  wire clk_b = CLKBMUX == "INV" ? ~CLKB : CLKB;
  wire on_a = CEA & ~(CSA2 | CSA1 | CSA0);
  wire on_b = CEB & ~(CSB2 | CSB1 | CSB0);
  wire [13:0] a = {
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] b = {
    ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [17:0] di_a = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0
  };
  wire [17:0] di_b = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0
  };
  wire [9:0] upper_a = a[13:4] | 10'd1, upper_b = b[13:4] | 10'd1;
  wire [9:0] lower_a = DATA_WIDTH_A == 36 ? a[13:4] & ~10'd1 : a[13:4];
  wire [9:0] lower_b = DATA_WIDTH_B == 36 ? b[13:4] & ~10'd1 : b[13:4];
  wire [35:0] old_a = {words[upper_a], words[lower_a]};
  wire [35:0] old_b = {words[upper_b], words[lower_b]};
  wire [35:0] new_a = {di_b, di_a} << place(DATA_WIDTH_A, a[3:0]);
  wire [35:0] new_b = {18'd0, di_b} << place(DATA_WIDTH_B, b[3:0]);
  wire [35:0] bits_a = WEA ? enabled(DATA_WIDTH_A, a[3:0]) : 36'd0;
  wire [35:0] bits_b = WEB ? enabled(DATA_WIDTH_B, b[3:0]) : 36'd0;
  wire [35:0] after_a = old_a & ~bits_a | new_a & bits_a;
  wire [35:0] after_b = old_b & ~bits_b | new_b & bits_b;
  wire [35:0] seen_a = WRITEMODE_A == "WRITETHROUGH" ? after_a : old_a;
  wire [35:0] seen_b = WRITEMODE_B == "WRITETHROUGH" ? after_b : old_b;

  always @(posedge clk_a) if (on_a && WEA) begin
    words[lower_a] <= after_a[17:0];
    if (DATA_WIDTH_A == 36) words[upper_a] <= after_a[35:18];
  end
  always @(posedge clk_b) if (on_b && WEB) words[lower_b] <= after_b[17:0];

  wire keep_a = WEA && WRITEMODE_A == "NORMAL";
  wire keep_b = WEB && WRITEMODE_B == "NORMAL";
  reg [35:0] q_a, q_b;
  if (RESETMODE == "ASYNC") begin
    always @(posedge clk_a or posedge RSTA)
      if (RSTA) q_a <= 0;
      else if (on_a && !keep_a) q_a <= seen_a >> place(DATA_WIDTH_A, a[3:0]);
    always @(posedge clk_b or posedge RSTB)
      if (RSTB) q_b <= 0;
      else if (on_b && !keep_b) q_b <= seen_b >> place(DATA_WIDTH_B, b[3:0]);
  end else begin
    always @(posedge clk_a)
      if (RSTA) q_a <= 0;
      else if (on_a && !keep_a) q_a <= seen_a >> place(DATA_WIDTH_A, a[3:0]);
    always @(posedge clk_b)
      if (RSTB) q_b <= 0;
      else if (on_b && !keep_b) q_b <= seen_b >> place(DATA_WIDTH_B, b[3:0]);
  end

  wire [17:0] do_a = DATA_WIDTH_B == 36 ? q_b[17:0] : q_a[17:0] & mask(DATA_WIDTH_A);
  wire [17:0] do_b = DATA_WIDTH_B == 36 ? q_b[35:18] : q_b[17:0] & mask(DATA_WIDTH_B);
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
    DOA3, DOA2, DOA1, DOA0
  } = do_a;
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
    DOB3, DOB2, DOB1, DOB0
  } = do_b;
endmodule

// Product of two 18-bit numbers, each signed or not, without registers.
module MULT18X18D (
  input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
  input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
  input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
  input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
    P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE";
  parameter REG_PIPELINE_CLK = "NONE", REG_OUTPUT_CLK = "NONE";

  if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_PIPELINE_CLK != "NONE"
      || REG_OUTPUT_CLK != "NONE")
    $fatal(1, "MULT18X18D is modelled without registers");

  wire signed [18:0] a = {
    SIGNEDA & A17, A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire signed [18:0] b = {
    SIGNEDB & B17, B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
  wire signed [37:0] product = a * b;
  assign {
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
  } = product[35:0];
endmodule
