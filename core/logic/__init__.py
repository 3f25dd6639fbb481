"""Three-valued truth, expression trees and the runs of rules."""
