"""What pages of experiments show: functions from results to sections."""
