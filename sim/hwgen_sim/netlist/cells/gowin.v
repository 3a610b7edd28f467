// Cells of Gowin devices for which Yosys has no simulation model, in the modes that it maps to.

// 2048 bytes, of 8 or 9 bits as BYTE says, with two ports. Where 2 or 4 bytes are written, the lowest
// address bits are their enables.
module hwgen_gowin_ram #(
  parameter BYTE = 9, READ_MODE = 0, RESET_MODE = "SYNC",
  parameter [2048*BYTE-1:0] IMAGE = 0,
  parameter READ_A = 0, READ_B = 0, WRITE_A = 0, WRITE_B = 0, MODE_A = 2, MODE_B = 2
) (
  input [1:0] clk, on, writing, reset,
  input [13:0] ADA, ADB,
  input [35:0] DIA, DIB,
  output [35:0] DOA, DOB
);
  if (READ_MODE != 0) $fatal(1, "Block RAM of Gowin is modelled without output registers");

  // widths and data as if bytes had nine bits
  function integer nine(input integer width);
    nine = BYTE == 9 || width < 8 ? width : width / 8 * 9;
  endfunction
  function [71:0] spread(input [35:0] data);
    spread = BYTE == 9 ? data
      : {1'b0, data[31:24], 1'b0, data[23:16], 1'b0, data[15:8], 1'b0, data[7:0]};
  endfunction
  function [35:0] packed_(input [35:0] data);
    packed_ = BYTE == 9 ? data : {data[34:27], data[25:18], data[16:9], data[7:0]};
  endfunction

  wire [71:0] q_a, q_b;
  hwgen_block_ram #(
    .SLOT(2 * BYTE), .LANE(BYTE), .IMAGE(IMAGE),
    .READ_A(nine(READ_A)), .WRITE_A(nine(WRITE_A)), .MODE_A(MODE_A),
    .READ_B(nine(READ_B)), .WRITE_B(nine(WRITE_B)), .MODE_B(MODE_B),
    .RESET_A(RESET_MODE == "ASYNC" ? 2 : 0), .RESET_B(RESET_MODE == "ASYNC" ? 2 : 0)
  ) ram (
    .clk(clk), .on(on), .writing(writing), .reset(reset),
    .address({1'b0, ADB, 1'b0, ADA}), .data({spread(DIB), spread(DIA)}),
    .enables({
      WRITE_B < 16 ? 8'd1 : {4'd0, ADB[3:0]}, WRITE_A < 16 ? 8'd1 : {4'd0, ADA[3:0]}}),
    .q({q_b, q_a})
  );
  assign DOA = packed_(q_a[35:0]);
  assign DOB = packed_(q_b[35:0]);
endmodule

module SP (
  output [31:0] DO,
  input [31:0] DI,
  input [2:0] BLKSEL,
  input [13:0] AD,
  input WRE, CLK, CE, OCE, RESET
);
  parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 32, BLK_SEL = 0, RESET_MODE = "SYNC";
  parameter [255:0] `HWGEN_ZEROS(INIT_RAM_);

  hwgen_gowin_ram #(
    .BYTE(8), .READ_MODE(READ_MODE), .RESET_MODE(RESET_MODE), .IMAGE(`HWGEN_JOINED(INIT_RAM_)),
    .READ_A(BIT_WIDTH), .WRITE_A(BIT_WIDTH), .MODE_A(WRITE_MODE)
  ) ram (
    .clk({1'b0, CLK}), .on({1'b0, CE}), .writing({1'b0, WRE}), .reset({1'b0, RESET}),
    .ADA(AD), .DIA({4'd0, DI}), .DOA(DO), .ADB(14'd0), .DIB(36'd0)
  );
endmodule

module SPX9 (
  output [35:0] DO,
  input [35:0] DI,
  input [2:0] BLKSEL,
  input [13:0] AD,
  input WRE, CLK, CE, OCE, RESET
);
  parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 36, BLK_SEL = 0, RESET_MODE = "SYNC";
  parameter [287:0] `HWGEN_ZEROS(INIT_RAM_);

  hwgen_gowin_ram #(
    .BYTE(9), .READ_MODE(READ_MODE), .RESET_MODE(RESET_MODE), .IMAGE(`HWGEN_JOINED(INIT_RAM_)),
    .READ_A(BIT_WIDTH), .WRITE_A(BIT_WIDTH), .MODE_A(WRITE_MODE)
  ) ram (
    .clk({1'b0, CLK}), .on({1'b0, CE}), .writing({1'b0, WRE}), .reset({1'b0, RESET}),
    .ADA(AD), .DIA(DI), .DOA(DO), .ADB(14'd0), .DIB(36'd0)
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
  parameter [287:0] `HWGEN_ZEROS(INIT_RAM_);

  hwgen_gowin_ram #(
    .BYTE(9), .READ_MODE(READ_MODE), .RESET_MODE(RESET_MODE), .IMAGE(`HWGEN_JOINED(INIT_RAM_)),
    .WRITE_A(BIT_WIDTH_0), .READ_B(BIT_WIDTH_1)
  ) ram (
    .clk({CLKB, CLKA}), .on({CEB, CEA}), .writing(2'b01), .reset({RESETB, 1'b0}),
    .ADA(ADA), .DIA(DI), .ADB(ADB), .DIB(36'd0), .DOB(DO)
  );
endmodule

module DPB (
  output [15:0] DOA, DOB,
  input [15:0] DIA, DIB,
  input [2:0] BLKSELA, BLKSELB,
  input [13:0] ADA, ADB,
  input CLKA, CEA, OCEA, WREA, RESETA, CLKB, CEB, OCEB, WREB, RESETB
);
  parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0;
  parameter BIT_WIDTH_0 = 16, BIT_WIDTH_1 = 16;
  parameter BLK_SEL_0 = 0, BLK_SEL_1 = 0, RESET_MODE = "SYNC";
  parameter [255:0] `HWGEN_ZEROS(INIT_RAM_);

  hwgen_gowin_ram #(
    .BYTE(8), .READ_MODE(READ_MODE0 + READ_MODE1), .RESET_MODE(RESET_MODE),
    .IMAGE(`HWGEN_JOINED(INIT_RAM_)),
    .READ_A(BIT_WIDTH_0), .WRITE_A(BIT_WIDTH_0), .MODE_A(WRITE_MODE0),
    .READ_B(BIT_WIDTH_1), .WRITE_B(BIT_WIDTH_1), .MODE_B(WRITE_MODE1)
  ) ram (
    .clk({CLKB, CLKA}), .on({CEB, CEA}), .writing({WREB, WREA}), .reset({RESETB, RESETA}),
    .ADA(ADA), .DIA(DIA), .DOA(DOA), .ADB(ADB), .DIB(DIB), .DOB(DOB)
  );
endmodule

module DPX9B (
  output [17:0] DOA, DOB,
  input [17:0] DIA, DIB,
  input [2:0] BLKSELA, BLKSELB,
  input [13:0] ADA, ADB,
  input CLKA, CEA, OCEA, WREA, RESETA, CLKB, CEB, OCEB, WREB, RESETB
);
  parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0;
  parameter BIT_WIDTH_0 = 18, BIT_WIDTH_1 = 18;
  parameter BLK_SEL_0 = 0, BLK_SEL_1 = 0, RESET_MODE = "SYNC";
  parameter [287:0] `HWGEN_ZEROS(INIT_RAM_);

  hwgen_gowin_ram #(
    .BYTE(9), .READ_MODE(READ_MODE0 + READ_MODE1), .RESET_MODE(RESET_MODE),
    .IMAGE(`HWGEN_JOINED(INIT_RAM_)),
    .READ_A(BIT_WIDTH_0), .WRITE_A(BIT_WIDTH_0), .MODE_A(WRITE_MODE0),
    .READ_B(BIT_WIDTH_1), .WRITE_B(BIT_WIDTH_1), .MODE_B(WRITE_MODE1)
  ) ram (
    .clk({CLKB, CLKA}), .on({CEB, CEA}), .writing({WREB, WREA}), .reset({RESETB, RESETA}),
    .ADA(ADA), .DIA(DIA), .DOA(DOA), .ADB(ADB), .DIB(DIB), .DOB(DOB)
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
