# SPDX-License-Identifier: Apache-2.0
"""What can be looked for in a video, one module each. Imports nothing here: `overt.jobs.task` names them."""
