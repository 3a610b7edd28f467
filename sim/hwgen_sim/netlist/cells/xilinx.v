// Cells of Xilinx devices for which Yosys has no simulation model, in the modes that it maps to.

// BYTES bytes with two ports. One that is WIDE bits wide takes its upper half from the other one's
// pins: port A reads, port B writes.
module hwgen_xilinx_ram #(
  parameter BYTES = 2048, WIDE = 36,
  parameter [8*BYTES-1:0] IMAGE = 0,
  parameter [BYTES-1:0] NINTHS = 0,
  parameter READ_A = 0, READ_B = 0, WRITE_A = 0, WRITE_B = 0,
  parameter MODE_A = "WRITE_FIRST", MODE_B = "WRITE_FIRST",
  parameter REGISTERS = 0,
  parameter [35:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0
) (
  input [1:0] clk, on, reset,
  input [14:0] ADDRA, ADDRB,
  input [31:0] DIA, DIB,
  input [3:0] DIPA, DIPB,
  input [3:0] WEA,
  input [7:0] WEB,
  output [31:0] DOA, DOB,
  output [3:0] DOPA, DOPB
);
  if (REGISTERS != 0) $fatal(1, "Block RAM of Xilinx is modelled without output registers");

  function integer mode(input [87:0] name);
    mode = name == "NO_CHANGE" ? 0 : name == "WRITE_FIRST" ? 1 : 2;
  endfunction
  function [35:0] with_ninths(input [31:0] data, input [3:0] ninths);
    with_ninths = {
      ninths[3], data[31:24], ninths[2], data[23:16], ninths[1], data[15:8], ninths[0], data[7:0]};
  endfunction
  function [31:0] data_of(input [35:0] bytes);
    data_of = {bytes[34:27], bytes[25:18], bytes[16:9], bytes[7:0]};
  endfunction
  function [3:0] ninths_of(input [35:0] bytes);
    ninths_of = {bytes[35], bytes[26], bytes[17], bytes[8]};
  endfunction

  // the value of an output, whose ninth bits stand above all others in a parameter
  function [35:0] value(input integer width, input [35:0] given);
    value = width == 36 ? with_ninths(given[31:0], given[35:32])
      : width == 18 ? with_ninths(given[15:0], given[17:16]) : given;
  endfunction
  // of a port's two halves, if it is wide
  function [71:0] value_a(input [35:0] lower, input [35:0] upper);
    value_a = READ_A == WIDE
      ? {36'd0, value(WIDE / 2, upper)} << WIDE / 2 | {36'd0, value(WIDE / 2, lower)}
      : {36'd0, value(READ_A, lower)};
  endfunction

  wire [35:0] d_a = with_ninths(DIA, DIPA), d_b = with_ninths(DIB, DIPB);
  wire [71:0] q_a, q_b, upper = {36'd0, d_b} << WIDE / 2;
  wire [71:0] lower = WIDE == 72 ? {36'd0, d_a} : {54'd0, d_a[17:0]};
  hwgen_block_ram #(
    .BYTES(BYTES), .SLOT(16), .LANE(8), .IMAGE(IMAGE), .NINTHS(NINTHS),
    .READ_A(READ_A), .WRITE_A(WRITE_A), .MODE_A(mode(MODE_A)), .RESET_A(1),
    .READ_B(READ_B), .WRITE_B(WRITE_B), .MODE_B(mode(MODE_B)), .RESET_B(1),
    .FIRST_A(value_a(INIT_A, INIT_B)), .CLEAR_A(value_a(SRVAL_A, SRVAL_B)),
    .FIRST_B({36'd0, value(READ_B, INIT_B)}), .CLEAR_B({36'd0, value(READ_B, SRVAL_B)})
  ) ram (
    .clk(clk), .on(on), .writing({|WEB, |WEA}), .reset(reset), .address({ADDRB, ADDRA}),
    .data({WRITE_B == WIDE ? upper | lower : {36'd0, d_b}, 36'd0, d_a}),
    .enables({WEB, 4'd0, WEA}), .q({q_b, q_a})
  );
  wire [35:0] o_b = READ_A == WIDE ? q_a >> WIDE / 2 : q_b[35:0];
  assign DOA = data_of(q_a[35:0]), DOPA = ninths_of(q_a[35:0]);
  assign DOB = data_of(o_b), DOPB = ninths_of(o_b);
endmodule

module RAMB18E1 (
  input CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
  input RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
  input [13:0] ADDRARDADDR, ADDRBWRADDR,
  input [15:0] DIADI, DIBDI,
  input [1:0] DIPADIP, DIPBDIP, WEA,
  input [3:0] WEBWE,
  output [15:0] DOADO, DOBDO,
  output [1:0] DOPADOP, DOPBDOP
);
  parameter READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0;
  parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST", DOA_REG = 0, DOB_REG = 0;
  parameter [17:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0;
  parameter RAM_MODE = "TDP";
  parameter [255:0] `HWGEN_ZEROS(INIT_);
  parameter [255:0] `HWGEN_ZEROS_8(INITP_0);

  hwgen_xilinx_ram #(
    .BYTES(2048), .WIDE(36),
    .IMAGE(`HWGEN_JOINED(INIT_)), .NINTHS(`HWGEN_JOINED_8(INITP_0)),
    .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A), .WRITE_B(WRITE_WIDTH_B),
    .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B), .REGISTERS(DOA_REG + DOB_REG),
    .INIT_A(INIT_A), .INIT_B(INIT_B), .SRVAL_A(SRVAL_A), .SRVAL_B(SRVAL_B)
  ) ram (
    .clk({CLKBWRCLK, CLKARDCLK}), .on({ENBWREN, ENARDEN}), .reset({RSTRAMB, RSTRAMARSTRAM}),
    .ADDRA({1'b0, ADDRARDADDR}), .ADDRB({1'b0, ADDRBWRADDR}),
    .DIA(DIADI), .DIB(DIBDI), .DIPA(DIPADIP), .DIPB(DIPBDIP), .WEA(WEA), .WEB(WEBWE),
    .DOA(DOADO), .DOB(DOBDO), .DOPA(DOPADOP), .DOPB(DOPBDOP)
  );
endmodule

module RAMB36E1 (
  input CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
  input RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
  input [15:0] ADDRARDADDR, ADDRBWRADDR,
  input [31:0] DIADI, DIBDI,
  input [3:0] DIPADIP, DIPBDIP, WEA,
  input [7:0] WEBWE,
  output [31:0] DOADO, DOBDO,
  output [3:0] DOPADOP, DOPBDOP
);
  parameter READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0;
  parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST", DOA_REG = 0, DOB_REG = 0;
  parameter [35:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0;
  parameter RAM_MODE = "TDP";
  parameter RAM_EXTENSION_A = "NONE", RAM_EXTENSION_B = "NONE";
  parameter [255:0] `HWGEN_ZEROS(INIT_), `HWGEN_UPPER_ZEROS(INIT_);
  parameter [255:0] `HWGEN_ZEROS_16(INITP_0);

  if (RAM_EXTENSION_A != "NONE" || RAM_EXTENSION_B != "NONE")
    $fatal(1, "RAMB36E1 is modelled alone, not as half of a pair");
  hwgen_xilinx_ram #(
    .BYTES(4096), .WIDE(72),
    .IMAGE({`HWGEN_UPPER_JOINED(INIT_), `HWGEN_JOINED(INIT_)}), .NINTHS(`HWGEN_JOINED_16(INITP_0)),
    .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A), .WRITE_B(WRITE_WIDTH_B),
    .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B), .REGISTERS(DOA_REG + DOB_REG),
    .INIT_A(INIT_A), .INIT_B(INIT_B), .SRVAL_A(SRVAL_A), .SRVAL_B(SRVAL_B)
  ) ram (
    .clk({CLKBWRCLK, CLKARDCLK}), .on({ENBWREN, ENARDEN}), .reset({RSTRAMB, RSTRAMARSTRAM}),
    .ADDRA(ADDRARDADDR[14:0]), .ADDRB(ADDRBWRADDR[14:0]),
    .DIA(DIADI), .DIB(DIBDI), .DIPA(DIPADIP), .DIPB(DIPBDIP), .WEA(WEA), .WEB(WEBWE),
    .DOA(DOADO), .DOB(DOBDO), .DOPA(DOPADOP), .DOPB(DOPBDOP)
  );
endmodule

module RAMB18E2 (
  input CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
  input RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB, ADDRENA, ADDRENB, SLEEP,
  input [13:0] ADDRARDADDR, ADDRBWRADDR,
  input [15:0] DINADIN, DINBDIN,
  input [1:0] DINPADINP, DINPBDINP, WEA,
  input [3:0] WEBWE,
  output [15:0] DOUTADOUT, DOUTBDOUT,
  output [1:0] DOUTPADOUTP, DOUTPBDOUTP
);
  parameter READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0;
  parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST", DOA_REG = 0, DOB_REG = 0;
  parameter [17:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0;
  parameter [255:0] `HWGEN_ZEROS(INIT_);
  parameter [255:0] `HWGEN_ZEROS_8(INITP_0);

  hwgen_xilinx_ram #(
    .BYTES(2048), .WIDE(36),
    .IMAGE(`HWGEN_JOINED(INIT_)), .NINTHS(`HWGEN_JOINED_8(INITP_0)),
    .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A), .WRITE_B(WRITE_WIDTH_B),
    .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B), .REGISTERS(DOA_REG + DOB_REG),
    .INIT_A(INIT_A), .INIT_B(INIT_B), .SRVAL_A(SRVAL_A), .SRVAL_B(SRVAL_B)
  ) ram (
    .clk({CLKBWRCLK, CLKARDCLK}), .on({ENBWREN, ENARDEN}), .reset({RSTRAMB, RSTRAMARSTRAM}),
    .ADDRA({1'b0, ADDRARDADDR}), .ADDRB({1'b0, ADDRBWRADDR}),
    .DIA(DINADIN), .DIB(DINBDIN), .DIPA(DINPADINP), .DIPB(DINPBDINP), .WEA(WEA), .WEB(WEBWE),
    .DOA(DOUTADOUT), .DOB(DOUTBDOUT), .DOPA(DOUTPADOUTP), .DOPB(DOUTPBDOUTP)
  );
endmodule

module RAMB36E2 (
  input CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
  input RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB, ADDRENA, ADDRENB, SLEEP,
  input [14:0] ADDRARDADDR, ADDRBWRADDR,
  input [31:0] DINADIN, DINBDIN,
  input [3:0] DINPADINP, DINPBDINP, WEA,
  input [7:0] WEBWE,
  output [31:0] DOUTADOUT, DOUTBDOUT,
  output [3:0] DOUTPADOUTP, DOUTPBDOUTP
);
  parameter READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0;
  parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST", DOA_REG = 0, DOB_REG = 0;
  parameter [35:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0;
  parameter [255:0] `HWGEN_ZEROS(INIT_), `HWGEN_UPPER_ZEROS(INIT_);
  parameter [255:0] `HWGEN_ZEROS_16(INITP_0);

  hwgen_xilinx_ram #(
    .BYTES(4096), .WIDE(72),
    .IMAGE({`HWGEN_UPPER_JOINED(INIT_), `HWGEN_JOINED(INIT_)}), .NINTHS(`HWGEN_JOINED_16(INITP_0)),
    .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A), .WRITE_B(WRITE_WIDTH_B),
    .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B), .REGISTERS(DOA_REG + DOB_REG),
    .INIT_A(INIT_A), .INIT_B(INIT_B), .SRVAL_A(SRVAL_A), .SRVAL_B(SRVAL_B)
  ) ram (
    .clk({CLKBWRCLK, CLKARDCLK}), .on({ENBWREN, ENARDEN}), .reset({RSTRAMB, RSTRAMARSTRAM}),
    .ADDRA(ADDRARDADDR), .ADDRB(ADDRBWRADDR),
    .DIA(DINADIN), .DIB(DINBDIN), .DIPA(DINPADINP), .DIPB(DINPBDINP), .WEA(WEA), .WEB(WEBWE),
    .DOA(DOUTADOUT), .DOB(DOUTBDOUT), .DOPA(DOUTPADOUTP), .DOPB(DOUTPBDOUTP)
  );
endmodule

// Product of two signed numbers, without registers.
module DSP48E2 (
  input signed [29:0] A,
  input signed [17:0] B,
  input [29:0] ACIN,
  input [17:0] BCIN,
  input [47:0] C, PCIN,
  input [26:0] D,
  input [8:0] OPMODE,
  input [4:0] INMODE,
  input [3:0] ALUMODE,
  input [2:0] CARRYINSEL,
  input CARRYIN, CARRYCASCIN, MULTSIGNIN, CLK,
  input CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CED, CEINMODE, CEM, CEP,
  input RSTA, RSTALLCARRYIN, RSTALUMODE, RSTB, RSTC, RSTCTRL, RSTD, RSTINMODE, RSTM, RSTP,
  output [47:0] P
);
  parameter ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AREG = 1, BCASCREG = 1, BREG = 1, CREG = 1;
  parameter CARRYINREG = 1, CARRYINSELREG = 1, DREG = 1, INMODEREG = 1, MREG = 1, OPMODEREG = 1;
  parameter PREG = 1, AMULTSEL = "A", BMULTSEL = "B", A_INPUT = "DIRECT", B_INPUT = "DIRECT";
  parameter USE_MULT = "MULTIPLY", USE_SIMD = "ONE48";

  if (AREG != 0 || BREG != 0 || MREG != 0 || PREG != 0 || OPMODEREG != 0 || ALUMODEREG != 0
      || INMODEREG != 0)
    $fatal(1, "DSP48E2 is modelled without registers");
  if (AMULTSEL != "A" || BMULTSEL != "B" || A_INPUT != "DIRECT" || B_INPUT != "DIRECT"
      || USE_MULT != "MULTIPLY" || USE_SIMD != "ONE48")
    $fatal(1, "DSP48E2 is modelled as a multiplier of A and B");

  wire signed [26:0] a = A[26:0];
  wire signed [47:0] product = a * B;
  assign P = OPMODE == 9'b000000101 && INMODE == 0 && ALUMODE == 0 ? product : 48'bx;
endmodule
