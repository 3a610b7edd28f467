"""Who drives the nets of a small Verilog file."""

from pathlib import Path

import pytest

from hwgen_sim.activity import Nets, rtl_nets

VERILOG = r"""
module top(clk, rst, en, a, b, o, p, q, r);
  input clk, rst, en;
  input [1:0] a, b;
  output [1:0] o, p, q, r;
  wire [1:0] both, chosen, alias, sum;
  reg [1:0] kept = 2'h0;
  reg [1:0] \$late = 2'h0;
  reg [1:0] table_ [1:0];
  initial begin
    table_[0] = 2'h3;
    table_[1] = 2'h1;
  end
  reg [1:0] read;
  always @(posedge clk) if (en) read <= table_[a[0]];
  assign both = a & b;
  assign sum = both + 2'h1;
  assign chosen = en ? sum : kept;
  assign alias = kept;
  always @(posedge clk) kept <= rst ? 2'h0 : chosen;
  always @(posedge clk) \$late <= alias;
  assign p = read;
  assign q = alias;
  assign r = \$late ;
  half deep(.x(both), .y(o));
endmodule
module half(x, y);
  input [1:0] x;
  output [1:0] y;
  assign y = ~x;
endmodule
"""


@pytest.fixture
def nets(tmp_path: Path) -> Nets:
    path = tmp_path / "top.v"
    path.write_text(VERILOG)
    return rtl_nets(path)


def test_every_bit_is_driven_once_and_enables_are_no_nets(nets: Nets):
    found = sorted((net.kind, net.name, net.bit) for net in nets.driven["top"])
    expected = [
        ("inner", "sum"),  # ends in the data input of `kept`
        ("logic", "both"),
        ("memory", "read"),
        ("register", "$late"),
        ("register", "kept"),
    ]
    same = {"alias": "kept", "q": "kept", "p": "read", "r": "$late"}  # wires joined to registers
    assert sorted((kind, same.get(n, n), bit) for kind, n, bit in found) == sorted(
        (kind, name, bit) for kind, name in expected for bit in (0, 1)
    )


def test_instances_are_found_at_their_paths(nets: Nets):
    assert list(nets.placed()) == [(), ("deep",)]
    assert nets.module_at(("deep",)) == "half"
    assert [(n.kind, n.name, n.bit) for n in nets.driven["half"]] == [
        ("logic", "y", 0),
        ("logic", "y", 1),
    ]
