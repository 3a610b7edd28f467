// Cells of Nexus devices for which Yosys has no simulation model, or none that holds.

// 2048 bytes with two ports, whose contents are 64 strings "0x" and 80 digits: 10 bits a byte. Ports
// of 18 and 36 bits have enables of bytes in place of their lowest address bits.
module hwgen_nexus_ram #(
  parameter [64*656-1:0] STRINGS = 0,
  parameter [23:0] READ_A = 0, READ_B = 0, WRITE_A = 0, WRITE_B = 0,
  parameter RESETMODE_A = "SYNC", RESETMODE_B = "SYNC",
  parameter OUTREG_A = "BYPASSED", OUTREG_B = "BYPASSED", ECC = "DISABLED",
  parameter CSDECODE_A = "111", CSDECODE_B = "111"
) (
  input [1:0] clk, on, writing, reset,
  input [2:0] CSA, CSB,
  input [13:0] ADA, ADB,
  input [35:0] DIA, DIB,
  output [35:0] DOA, DOB
);
  if (OUTREG_A != "BYPASSED" || OUTREG_B != "BYPASSED" || ECC != "DISABLED")
    $fatal(1, "Block RAM of Nexus is modelled without output registers and ECC");
  if (CSDECODE_A != "111" || CSDECODE_B != "111")
    $fatal(1, "Block RAM of Nexus is modelled for CSDECODE 111");

  // "a" is 61 in hexadecimal, "A" is 41
  function [64*320-1:0] numbers(input [64*656-1:0] strings);
    integer part, k;
    for (part = 0; part < 64; part = part + 1)
      for (k = 0; k < 80; k = k + 1)
        numbers[320*part + 4*k +: 4] =
          strings[656*part + 8*k +: 4] + (strings[656*part + 8*k + 6] ? 4'd9 : 4'd0);
  endfunction
  function integer width(input [23:0] text);
    width = text == "X36" ? 36 : text == "X18" ? 18 : text == "X9" ? 9 : text == "X4" ? 4
      : text == "X2" ? 2 : text == "X1" ? 1 : 0;
  endfunction

  wire [71:0] q_a, q_b;
  hwgen_block_ram #(
    .SLOT(20), .LANE(10), .IMAGE(numbers(STRINGS)),
    .READ_A(width(READ_A)), .WRITE_A(width(WRITE_A)), .MODE_A(0),
    .READ_B(width(READ_B)), .WRITE_B(width(WRITE_B)), .MODE_B(0),
    .RESET_A(RESETMODE_A == "ASYNC" ? 2 : 1), .RESET_B(RESETMODE_B == "ASYNC" ? 2 : 1)
  ) ram (
    .clk(clk), .on(on & {&CSB, &CSA}), .writing(writing), .reset(reset),
    .address({1'b0, ADB, 1'b0, ADA}), .data({36'd0, DIB, 36'd0, DIA}),
    .enables({
      width(WRITE_B) < 18 ? 8'd1 : {4'd0, ADB[3:0]}, width(WRITE_A) < 18 ? 8'd1 : {4'd0, ADA[3:0]}
    }),
    .q({q_b, q_a})
  );
  assign DOA = q_a[35:0];
  assign DOB = q_b[35:0];
endmodule

module DP16K (
  input CLKA, WEA, CEA, RSTA, CLKB, WEB, CEB, RSTB,
  input [2:0] CSA, CSB,
  input [13:0] ADA, ADB,
  input [17:0] DIA, DIB,
  output [17:0] DOA, DOB
);
  parameter DATA_WIDTH_A = "X18", DATA_WIDTH_B = "X18";
  parameter OUTREG_A = "BYPASSED", OUTREG_B = "BYPASSED", RESETMODE_A = "SYNC", RESETMODE_B = "SYNC";
  parameter ASYNC_RST_RELEASE_A = "SYNC", ASYNC_RST_RELEASE_B = "SYNC";
  parameter CSDECODE_A = "000", CSDECODE_B = "000", GSR = "ENABLED", INIT_DATA = "STATIC";
  parameter [655:0] `HWGEN_ZEROS(INITVAL_);

  hwgen_nexus_ram #(
    .STRINGS(`HWGEN_JOINED(INITVAL_)),
    .READ_A(DATA_WIDTH_A), .WRITE_A(DATA_WIDTH_A), .READ_B(DATA_WIDTH_B), .WRITE_B(DATA_WIDTH_B),
    .RESETMODE_A(RESETMODE_A), .RESETMODE_B(RESETMODE_B), .OUTREG_A(OUTREG_A), .OUTREG_B(OUTREG_B),
    .CSDECODE_A(CSDECODE_A), .CSDECODE_B(CSDECODE_B)
  ) ram (
    .clk({CLKB, CLKA}), .on({CEB, CEA}), .writing({WEB, WEA}), .reset({RSTB, RSTA}),
    .CSA(CSA), .CSB(CSB), .ADA(ADA), .ADB(ADB), .DIA(DIA), .DIB(DIB), .DOA(DOA), .DOB(DOB)
  );
endmodule

module PDPSC16K (
  input CLK, CEW, CER, RST,
  input [2:0] CSW, CSR,
  input [13:0] ADW, ADR,
  input [35:0] DI,
  output [35:0] DO
);
  parameter DATA_WIDTH_W = "X36", DATA_WIDTH_R = "X36";
  parameter OUTREG = "BYPASSED", RESETMODE = "SYNC", ASYNC_RST_RELEASE = "SYNC", ECC = "DISABLED";
  parameter CSDECODE_W = "000", CSDECODE_R = "000", GSR = "ENABLED", INIT_DATA = "STATIC";
  parameter [655:0] `HWGEN_ZEROS(INITVAL_);

  hwgen_nexus_ram #(
    .STRINGS(`HWGEN_JOINED(INITVAL_)), .WRITE_A(DATA_WIDTH_W), .READ_B(DATA_WIDTH_R),
    .RESETMODE_B(RESETMODE), .OUTREG_B(OUTREG), .ECC(ECC),
    .CSDECODE_A(CSDECODE_W), .CSDECODE_B(CSDECODE_R)
  ) ram (
    .clk({CLK, CLK}), .on({CER, CEW}), .writing(2'b01), .reset({RST, 1'b0}),
    .CSA(CSW), .CSB(CSR), .ADA(ADW), .ADB(ADR), .DIA(DI), .DIB(36'd0), .DOB(DO)
  );
endmodule

// 16 words of 4 bits, read without a clock; of Yosys' own model the last word is not initialized.
module DPR16X4 (
  input [3:0] RAD, DI, WAD,
  input WRE, WCK,
  output [3:0] DO
);
  parameter [143:0] INITVAL = 0;  // "0x" and 16 digits

  reg [3:0] words[0:15];
  integer k;
  initial for (k = 0; k < 16; k = k + 1)
    words[k] = INITVAL[8*k +: 4] + (INITVAL[8*k + 6] ? 4'd9 : 4'd0);
  always @(posedge WCK) if (WRE) words[WAD] <= DI;
  assign DO = words[RAD];
endmodule
